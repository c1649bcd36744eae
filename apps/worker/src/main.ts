import { serve } from 'eyrie/app/serve';

await serve({ name: 'worker', directory: import.meta.dirname, program: () => import('./program.js') });
