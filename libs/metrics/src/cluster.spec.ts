import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';

const fixtures = new URL('../fixtures/', import.meta.url).pathname;
const hooks = new URL('../../lifecycle/fixtures/typescript.mjs', import.meta.url).pathname;

/** A real cluster of the fixture's processes. */
class Cluster {
  private lastId = 0;
  private constructor(private readonly primary: ChildProcess) {}

  static start(...args: string[]): Cluster {
    const execArgv = ['--conditions=source', '--no-warnings', '--import', hooks];
    return new Cluster(fork(`${fixtures}cluster.ts`, args, { execArgv, stdio: 'inherit' }));
  }

  async ask(verb: string, { worker, value }: { worker?: number; value?: number } = {}): Promise<unknown> {
    const id = (this.lastId += 1);
    const answer = Promise.withResolvers<unknown>();
    const listen = (message: { id?: number; result?: unknown }) => {
      if (message.id === id) answer.resolve(message.result);
    };
    this.primary.on('message', listen);
    this.primary.send({ id, verb, worker, value });
    const result = await answer.promise;
    this.primary.removeListener('message', listen);
    return result;
  }

  /** Starts a worker; the answer is its id. */
  async fork(): Promise<number> {
    return (await this.ask('fork')) as number;
  }

  /** Lets a worker end in this way, and waits until the primary has seen it. */
  async end(worker: number, verb: 'recycle' | 'crash', value = 0): Promise<void> {
    const exited = Promise.withResolvers<void>();
    const listen = (message: { exited?: number }) => {
      if (message.exited === worker) exited.resolve();
    };
    this.primary.on('message', listen);
    this.primary.send({ id: 0, verb, worker, value });
    await exited.promise;
    this.primary.removeListener('message', listen);
  }

  /** What a worker answers to a scrape, without comments. */
  async scrape(worker: number): Promise<string[]> {
    return lines((await this.ask('scrape', { worker })) as string);
  }

  async stop(): Promise<void> {
    const exited = once(this.primary, 'exit');
    this.primary.send({ id: 0, verb: 'exit' });
    await exited;
  }
}

const lines = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const counted = (text: string[]) =>
  text.filter((line) => /^(orders_total|order_seconds_count|level|most) ?/.test(line));

let processes: Cluster;
afterEach(() => processes.stop());

describe('metrics of a cluster', () => {
  it('D5: any worker answers with the totals of all; they survive recycling and crashes', async () => {
    processes = Cluster.start();
    const [one, two] = [await processes.fork(), await processes.fork()];
    await processes.ask('count', { worker: one, value: 3 });
    await processes.ask('count', { worker: two, value: 4 });
    const totals = ['orders_total{shop="a"} 7', 'order_seconds_count 7', 'level 7', 'most 4'];
    for (const worker of [one, two]) expect(counted(await processes.scrape(worker))).toEqual(totals);
    const all = await processes.scrape(one);
    expect(all).toContain('order_seconds_bucket{le="2"} 7');
    expect(all).toContain('restarts_total 2'); // counted by the primary
    expect(all).toContain(`app_info{environment="test",git_sha="abc",node_version="${process.version}",version="1"} 1`);
    expect(all.filter((line) => line.startsWith('nodejs_eventloop_lag_p99_seconds'))).toHaveLength(1);

    // Recycled after the last scrape: what it counted until its very end is there, its gauges are gone.
    await processes.ask('count', { worker: two, value: 5 });
    await processes.end(two, 'recycle', 100);
    expect(counted(await processes.scrape(one))).toEqual([
      'orders_total{shop="a"} 112',
      'order_seconds_count 12',
      'level 3',
      'most 3',
    ]);

    // Crashed: the values of the last scrape stay.
    const three = await processes.fork();
    await processes.ask('count', { worker: three, value: 10 });
    expect(counted(await processes.scrape(one))[0]).toBe('orders_total{shop="a"} 122');
    await processes.end(three, 'crash');
    for (let again = 0; again < 2; again += 1) {
      expect(counted(await processes.scrape(one)).slice(0, 2)).toEqual([
        'orders_total{shop="a"} 122',
        'order_seconds_count 22',
      ]);
    }
  }, 60_000);

  it('D5: a hung worker costs the time limit, and counts with what it last said', async () => {
    processes = Cluster.start();
    const [one, two] = [await processes.fork(), await processes.fork()];
    await processes.ask('count', { worker: one, value: 1 });
    await processes.ask('count', { worker: two, value: 2 });
    await processes.scrape(one);
    await processes.ask('hang', { worker: two, value: 60_000 });
    await sleep(100);
    const began = performance.now();
    expect(counted(await processes.scrape(one))).toEqual([
      'orders_total{shop="a"} 3',
      'order_seconds_count 3',
      'level 1', // of what hangs nobody knows how much there is now
      'most 1',
    ]);
    expect(performance.now() - began).toBeLessThan(2_000);
  }, 60_000);

  it('D5: METRICS_PORT is served once, by the primary; scrapes at the same time share one round', async () => {
    processes = Cluster.start();
    const port = (await processes.ask('serve')) as number;
    const ids = [await processes.fork(), await processes.fork()]; // whose own METRICS_PORT could not be opened
    for (const worker of ids) await processes.ask('count', { worker, value: 2 });
    const ask = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/metrics`, {
        headers: { accept: 'application/openmetrics-text' },
      });
      expect(response.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
      return response.text();
    };
    for (const text of await Promise.all(Array.from({ length: 10 }, ask))) {
      expect(text).toContain('\norders_total{shop="a"} 4\n');
      expect(text.endsWith('\n# EOF\n')).toBe(true);
    }
  }, 60_000);

  it('D5: without a collector in the primary a worker refuses, and says why: its own numbers would be wrong', async () => {
    processes = Cluster.start('without-collector');
    const one = await processes.fork();
    expect((await processes.scrape(one)).join()).toMatch(/^NoTotalsError: .*collectClusterMetrics\(\)/);
  }, 60_000);
});
