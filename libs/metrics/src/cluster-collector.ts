import cluster, { type Worker } from 'node:cluster';
import { type FromPrimary, type FromWorker, isOurs, workerLimitMs } from './cluster-messages.js';
import { type Format, render } from './exposition.js';
import { type Family, readFamilies } from './family.js';
import { remainsOf, totalsOf } from './totals.js';

/** What the primary process knows of the metrics of its workers. */
export interface ClusterMetrics {
  /** The totals of all processes, those that ended included, in a text format. */
  scrape(format: Format): Promise<string>;
}

let collector: Collector | undefined;

/**
 * Makes the primary process answer scrapes with the totals of all its workers. Call it there, before the first fork;
 * further calls answer the same.
 *
 * What a worker has counted stays in the totals after its end: the values it handed in (`handInMetrics`), or those of the
 * last scrape if it crashed. A worker that does not answer in time costs a second, and counts with its last known values.
 */
export function collectClusterMetrics(): ClusterMetrics {
  if (!cluster.isPrimary) throw new Error('collectClusterMetrics() belongs into the primary process');
  collector ??= new Collector();
  return collector;
}

class Member {
  /** As of its last word. */
  families: Family[] = [];
  /** It has said its last word. */
  departed = false;
  private readonly asked = new Map<number, (families: Family[] | undefined) => void>();

  constructor(private readonly worker: Worker) {}

  /** Its values now; where it stays silent, only what it had counted when last heard. */
  async read(id: number): Promise<Family[]> {
    if (this.departed || !this.worker.isConnected()) return remainsOf(this.families);
    const { promise, resolve } = Promise.withResolvers<Family[] | undefined>();
    const timer = setTimeout(resolve, workerLimitMs, undefined);
    this.asked.set(id, resolve);
    send(this.worker, { kind: 'eyrie:metrics:ask', id }, () => resolve(undefined));
    const answer = await promise;
    clearTimeout(timer);
    this.asked.delete(id);
    return answer ?? remainsOf(this.families);
  }

  hear(id: number, families: Family[]): void {
    this.families = families; // late as it may be
    this.asked.get(id)?.(families);
  }

  depart(families?: Family[]): void {
    this.departed = true;
    if (families) this.families = families;
    for (const resolve of this.asked.values()) resolve(undefined);
  }
}

class Collector implements ClusterMetrics {
  private readonly members = new Map<number, Member>();
  /** The sum of those that ended. */
  private retired: Family[] = [];
  private lastId = 0;
  /** Scrapes at the same time share one round. */
  private round: Promise<Family[]> | undefined;

  constructor() {
    cluster.on('message', (worker, message: unknown) => {
      if (isOurs(message)) this.onMessage(worker, message as FromWorker);
    });
    cluster.on('exit', (worker) => this.retire(worker));
  }

  async scrape(format: Format): Promise<string> {
    this.round ??= this.collect().finally(() => (this.round = undefined));
    return render(await this.round, format);
  }

  private async collect(): Promise<Family[]> {
    this.lastId += 1;
    const id = this.lastId;
    const members = [...this.members.values()];
    const [own, ...answers] = await Promise.all([
      readFamilies(), // what the primary itself counts, such as restarts
      ...members.map((member) => member.read(id)),
    ]);
    // One that has retired meanwhile is in the sum of those that ended, not to be counted a second time.
    const present = new Set(this.members.values());
    const living = answers.filter((_, index) => present.has(members[index] as Member));
    return totalsOf([...living, own, this.retired]);
  }

  private onMessage(worker: Worker, message: FromWorker): void {
    if (worker.isDead() && !this.members.has(worker.id)) return;
    let member = this.members.get(worker.id);
    if (!member) this.members.set(worker.id, (member = new Member(worker)));
    if (message.kind === 'eyrie:metrics:answer') member.hear(message.id, message.families);
    else if (message.kind === 'eyrie:metrics:scrape') void this.answer(worker, message.id, message.format);
    else if (message.kind === 'eyrie:metrics:final') {
      member.depart(message.families);
      send(worker, { kind: 'eyrie:metrics:kept' });
    }
  }

  private async answer(worker: Worker, id: number, format: Format): Promise<void> {
    send(worker, { kind: 'eyrie:metrics:totals', id, text: await this.scrape(format) });
  }

  private retire(worker: Worker): void {
    const member = this.members.get(worker.id);
    if (!member) return;
    this.members.delete(worker.id);
    member.depart();
    this.retired = totalsOf([this.retired, remainsOf(member.families)]);
  }
}

/** With a callback a closed channel is no uncaught error. */
function send(worker: Worker, message: FromPrimary, onFailure: () => void = () => undefined): void {
  worker.send(message, undefined, (error: Error | null) => {
    if (error) onFailure();
  });
}
