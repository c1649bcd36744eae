/** The same routes in an app of this product, with all that it has. */
import { serve } from 'eyrie/app/serve';

await serve({ name: 'bench', directory: import.meta.dirname, program: () => import('./program.ts') });
