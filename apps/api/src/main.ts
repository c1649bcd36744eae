import { serve } from 'eyrie/app/serve';

await serve({ name: 'api', directory: import.meta.dirname, program: () => import('./program.js') });
