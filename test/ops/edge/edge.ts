/**
 * Nginx and the compose file of production on real containers: first Nginx before small echoing servers, where every promise
 * of its configuration can be seen; then the whole of it, on a fresh folder.
 */
import { dockerOrThrow, productImage } from '../../harness/docker.ts';
import type { Cleanup } from '../../harness/processes.ts';
import type { CheckResult } from '../checks.ts';
import { answers } from './answers.ts';
import { changes, trusted } from './changes.ts';
import { limits } from './limits.ts';
import { Promises } from './promises.ts';
import { replicas } from './replicas.ts';
import { Site } from './site.ts';
import { rotation, stack } from './stack.ts';

export async function edge(options: { short: boolean }, cleanup: Cleanup): Promise<CheckResult[]> {
  const promises = new Promises();
  await dockerOrThrow(['version', '--format', '{{.Server.Version}}']);
  await proxy(promises, options.short, cleanup);
  await whole(promises, options.short, cleanup);
  return promises.results;
}

async function proxy(promises: Promises, short: boolean, cleanup: Cleanup): Promise<void> {
  const site = await Site.make('echo', ['test/ops/edge/echo/compose.yaml'], cleanup);
  await site.set({ BLUE_REPLICAS: 2 });
  await site.stack.runOrThrow(['build', '--quiet', 'nginx']);
  await site.stack.up(['api-blue', 'nginx']);
  await limits(site, promises);
  // The rest asks more often than a client may.
  const settings = Object.fromEntries(
    ['API', 'LOGIN', 'INGEST'].flatMap((zone) => [
      [`${zone}_RATE`, '100000r/s'],
      [`${zone}_BURST`, '1000'],
    ]),
  );
  await site.set(settings);
  await site.stack.up(['api-blue', 'nginx']);
  await answers(site, promises);
  await replicas(site, promises, { kills: short ? 2 : 6 });
  await changes(site, promises);
  await trusted(site, promises);
  await site.stack.down({ timeoutSeconds: 1 });
}

async function whole(promises: Promises, short: boolean, cleanup: Cleanup): Promise<void> {
  const image = await productImage();
  const site = await Site.make('whole', ['test/ops/edge/receiver/compose.yaml'], cleanup);
  await site.set({ EYRIE_IMAGE: image, ...(short && { BLUE_REPLICAS: 1, WORKER_REPLICAS: 1 }) });
  await site.tellApps({ NOTIFY_ALLOW_PRIVATE: 'all' });
  await site.stack.runOrThrow(['build', '--quiet', 'nginx', 'postgres', 'backup'], { timeoutMs: 600_000 });
  await stack(site, promises);
  if (!short) await rotation(site, promises);
}
