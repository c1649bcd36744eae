// scratch
import { setTimeout as sleep } from 'node:timers/promises';
import { withCleanup } from '../../harness/processes.ts';
import { renderChecks } from '../checks.ts';
import { accidents } from './accidents.ts';
import { badReleases } from './bad-releases.ts';
import { changes } from './changes.ts';
import { Drill } from './drill.ts';
import { Images } from './images.ts';
import { Inbox } from './inbox.ts';
import { addressForContainers, ProductionHost } from './production-host.ts';
const [rate, parts = 'cba', short = 'short'] = process.argv.slice(2);
await withCleanup(async (cleanup) => {
  const inbox = new Inbox();
  const hook = await inbox.listen(await addressForContainers());
  cleanup.add('the receiver', () => inbox.close());
  const images = new Images(cleanup);
  const current = await images.current();
  const host = await ProductionHost.start({ image: current.image, hook, replicas: 2, workers: 1 }, cleanup);
  const drill = new Drill(host, inbox);
  cleanup.add('the load', () => drill.stop());
  drill.start(Number(rate));
  await sleep(3000);
  let serving = current;
  if (parts.includes('c')) serving = await changes(drill, images, current);
  if (parts.includes('b')) await badReleases(drill, images, serving, short === 'short');
  if (parts.includes('a')) serving = await accidents(drill, images, serving, short === 'short');
  process.stdout.write(renderChecks(await drill.judge()) + '\n');
});
