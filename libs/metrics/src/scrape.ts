import cluster from 'node:cluster';
import { type Format, render } from './exposition.js';
import { readFamilies } from './family.js';
import { totalsFromPrimary } from './cluster-worker.js';

/**
 * The metrics in a text format: in a cluster's worker the totals of all its processes, else those of this process.
 * @throws {@link NoTotalsError} in a worker whose primary does not answer
 */
export async function scrape(format: Format): Promise<string> {
  if (cluster.isWorker) return totalsFromPrimary(format);
  return render(await readFamilies(), format);
}
