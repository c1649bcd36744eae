import { useCompileCache } from './compile-cache.js';
import { requireNode } from './require-node.js';
import { holdYoungGeneration } from './young-generation.js';
import type { Served } from './program.js';
import type { StandardSlices } from './standard-settings.js';

export type { Served } from './program.js';

/**
 * The whole of an app's `main`: reads the settings, runs as many processes as they say, and in each of them the program,
 * traced, until it is told to stop.
 *
 * @example await serve({ name: 'shop', directory: import.meta.dirname, program: () => import('./program.js') })
 */
export async function serve<S extends StandardSlices>(served: Served<S>): Promise<void> {
  requireNode();
  // Before anything else is loaded, so nothing more is imported above.
  holdYoungGeneration();
  useCompileCache(served.directory);
  const { runServed } = await import('./run-served.js');
  await runServed(served);
}
