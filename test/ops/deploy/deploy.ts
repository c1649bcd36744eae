/**
 * Production on one host, under load through Nginx over HTTPS: every way to change what runs, and what may go wrong
 * meanwhile. No request may fail, no alert and no live event may be lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cleanup } from '../../harness/processes.ts';
import type { CheckResult } from '../checks.ts';
import { accidents } from './accidents.ts';
import { badReleases } from './bad-releases.ts';
import { changes } from './changes.ts';
import { Drill } from './drill.ts';
import { Images } from './images.ts';
import { Inbox } from './inbox.ts';
import { servedAlone } from './observe.ts';
import { addressForContainers, ProductionHost } from './production-host.ts';

export async function deploy({ short }: { short: boolean }, cleanup: Cleanup): Promise<CheckResult[]> {
  const inbox = new Inbox();
  const hook = await inbox.listen(await addressForContainers());
  cleanup.add('the receiver', () => inbox.close());
  const images = new Images(cleanup);
  const current = await images.current();
  const size = short ? { replicas: 2, workers: 1 } : { replicas: 3, workers: 2 };
  const host = await ProductionHost.start({ image: current.image, hook, ...size }, cleanup);

  const drill = new Drill(host, inbox);
  cleanup.add('the load', () => drill.stop());
  drill.start(short ? 50 : 200);
  await drill.phase('as it is', async () => {
    await sleep(5_000);
    return servedAlone(host, current);
  });
  const serving = await changes(drill, images, current);
  await badReleases(drill, images, serving, short);
  await accidents(drill, images, serving, short);
  return drill.judge();
}
