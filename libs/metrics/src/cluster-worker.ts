import cluster from 'node:cluster';
import { type FromPrimary, type FromWorker, isOurs, primaryLimitMs } from './cluster-messages.js';
import type { Format } from './exposition.js';
import { isCumulative, readFamilies } from './family.js';

/** The primary did not say what all processes together have counted; this process alone would be a wrong answer. */
export class NoTotalsError extends Error {
  override readonly name = 'NoTotalsError';
}

const waiting = new Map<number, (text: string) => void>();
let lastId = 0;
let kept: (() => void) | undefined;
let joined = false;

/** Lets the primary ask this process for its values. Does nothing outside of a cluster, or a second time. */
export function joinCluster(): void {
  if (!cluster.isWorker || joined) return;
  joined = true;
  process.on('message', onMessage);
  send({ kind: 'eyrie:metrics:join' });
}

/** The totals of all processes, as text. */
export async function totalsFromPrimary(format: Format): Promise<string> {
  joinCluster();
  lastId += 1;
  const id = lastId;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const give = (why: string) => reject(new NoTotalsError(`no metrics of all processes: ${why}`));
  const timer = setTimeout(
    () => give('the primary process does not answer; does it call collectClusterMetrics()?'),
    primaryLimitMs,
  );
  waiting.set(id, resolve);
  send({ kind: 'eyrie:metrics:scrape', id, format }, () => give('the primary process is gone'));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    waiting.delete(id);
  }
}

/**
 * Hands the counters and histograms of this process to the primary, so that they stay in the totals when it has ended.
 * Call it as late as possible; the module does it when the app has closed. Resolves once they are kept, and after
 * `limitMs` in any case; at once outside of a cluster.
 */
export async function handInMetrics(limitMs = 1_000): Promise<void> {
  if (!cluster.isWorker || !joined || !process.connected) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  kept = resolve;
  try {
    send({ kind: 'eyrie:metrics:final', families: await readFamilies(isCumulative) }, resolve);
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

function onMessage(message: unknown): void {
  if (!isOurs(message)) return;
  const { kind } = message as FromPrimary;
  if (kind === 'eyrie:metrics:ask') void answer((message as { id: number }).id);
  else if (kind === 'eyrie:metrics:totals') {
    const { id, text } = message as Extract<FromPrimary, { kind: 'eyrie:metrics:totals' }>;
    waiting.get(id)?.(text);
  } else if (kind === 'eyrie:metrics:kept') kept?.();
}

async function answer(id: number): Promise<void> {
  send({ kind: 'eyrie:metrics:answer', id, families: await readFamilies() });
}

/** With a callback a closed channel is no uncaught error. */
function send(message: FromWorker, onFailure: () => void = () => undefined): void {
  process.send?.(message, undefined, undefined, (error) => {
    if (error) onFailure();
  });
}
