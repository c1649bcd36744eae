import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { type IncomingAlert } from '../alert.js';
import { SystemClock } from '../clock.js';
import { type AlertWriter, type SentAlert } from './alert-writer.js';
import { IngestOverloaded, IngestQueue } from './ingest-queue.js';

Logger.overrideLogger(false);

interface HeldWrite {
  batch: readonly SentAlert[];
  commit(): void;
  fail(error: unknown): void;
}

/** A writer that commits when the test says so. */
class HeldWriter {
  readonly writes: HeldWrite[] = [];

  write(batch: readonly SentAlert[]): Promise<void> {
    return new Promise((commit, fail) => this.writes.push({ batch, commit, fail }));
  }

  get queue(): IngestQueue {
    return new IngestQueue(this as unknown as AlertWriter, new SystemClock());
  }
}

/** A writer that commits everything but what holds a poisoned alert. */
class PickyWriter extends HeldWriter {
  readonly stored: string[] = [];
  override write(batch: readonly SentAlert[]): Promise<void> {
    const names = batch.map(({ alert }) => alert.labels['alertname']!);
    if (batch.some(({ alert: { labels, annotations } }) => [labels.alertname, annotations.summary].includes('poison')))
      return Promise.reject(new Error('cannot be stored'));
    this.stored.push(...names);
    return Promise.resolve();
  }
}

function alert(alertname: string, more: Partial<IncomingAlert> = {}): IncomingAlert {
  const times = { startsAt: 1_000, endsAt: 2_000, timeout: false, startUnknown: false };
  return { labels: { alertname }, annotations: {}, generatorUrl: '', ...times, ...more };
}

const namesOf = ({ batch }: HeldWrite) => batch.map((sent) => sent.alert.labels['alertname']).sort();
/** Long enough for the queue to have done all that it can do without a commit. */
async function turn(): Promise<void> {
  for (let immediate = 0; immediate < 5; immediate++) await new Promise(setImmediate);
}

describe('H1: the queue before the transactions', () => {
  it('lets requests of the same moment share a transaction, and what comes meanwhile the next', async () => {
    const writer = new HeldWriter();
    const { queue } = writer;
    const done: string[] = [];
    const submit = (name: string) => queue.submit([alert(name)], 'test').then(() => done.push(name));
    void submit('A');
    void submit('B');
    await turn();
    for (const name of ['C', 'D', 'E']) void submit(name);
    await turn();
    expect(writer.writes.map(namesOf)).toEqual([['A', 'B']]);
    expect(done).toEqual([]);

    writer.writes[0]!.commit();
    await turn();
    expect(done).toEqual(['A', 'B']);
    expect(writer.writes.map(namesOf)).toEqual([
      ['A', 'B'],
      ['C', 'D', 'E'],
    ]);
  });

  it('takes half of the requests that are on their way, those included that were just answered', async () => {
    const writer = new HeldWriter();
    const { queue } = writer;
    const submit = (...names: string[]) => names.forEach((name) => void queue.submit([alert(name)], 'test'));
    submit('A', 'B');
    await turn();
    submit('C', 'D', 'E', 'F', 'G', 'H');
    writer.writes[0]!.commit();
    await turn();
    submit('A', 'B');
    writer.writes[1]!.commit();
    await turn();
    expect(writer.writes.map(namesOf)).toEqual([
      ['A', 'B'],
      ['C', 'D', 'E', 'F'],
      ['A', 'B', 'G', 'H'],
    ]);
  });

  it('begins the next transaction before the callers of the last go on together', async () => {
    const writer = new HeldWriter();
    const { queue } = writer;
    const happened: string[] = [];
    const submit = (name: string) =>
      queue.submit([alert(name)], 'test').then(() => happened.push(`${name} beside ${writer.writes.length} writes`));
    void submit('A');
    void submit('B');
    await turn();
    void submit('C');
    writer.writes[0]!.commit();
    for (let immediate = 0; immediate < 10 && happened.length === 0; immediate++) await new Promise(setImmediate);
    expect(happened).toEqual(['A beside 2 writes', 'B beside 2 writes']);
  });

  it('sorts each batch by fingerprint, so that writers lock in the same order', async () => {
    const writer = new HeldWriter();
    void writer.queue.submit(
      Array.from({ length: 50 }, (_, index) => alert(`A${index}`)),
      'test',
    );
    await turn();
    const order = writer.writes[0]!.batch.map((sent) => sent.order);
    expect(order).toEqual(order.toSorted((one, other) => (one < other ? -1 : 1)));
  });

  it('does not let an alert that cannot be stored spoil the requests of others', async () => {
    const writer = new PickyWriter();
    const { queue } = writer;
    const results = await Promise.allSettled(['A', 'poison', 'B'].map((name) => queue.submit([alert(name)], 'test')));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(writer.stored.sort()).toEqual(['A', 'B']);
  });

  it('writes nothing again of what was committed before another part of it failed', async () => {
    const writer = new PickyWriter();
    const { queue } = writer;
    const poison = { annotations: { summary: 'poison' } };
    const results = await Promise.allSettled([
      queue.submit([alert('A')], 'test'),
      queue.submit([alert('A', poison), alert('B')], 'test'),
      queue.submit([alert('C')], 'test'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(writer.stored.sort()).toEqual(['A', 'B', 'C']);
  });

  it('goes on after a transaction that failed', async () => {
    const writer = new HeldWriter();
    const { queue } = writer;
    const first = queue.submit([alert('A')], 'test');
    await turn();
    writer.writes[0]!.fail(new Error('PostgreSQL is gone'));
    await expect(first).rejects.toThrow('PostgreSQL is gone');
    const second = queue.submit([alert('A')], 'test');
    await turn();
    writer.writes[1]!.commit();
    await second;
  });

  it('counts what is said twice with the same words, within a request and among requests', async () => {
    const writer = new HeldWriter();
    const { queue } = writer;
    void queue.submit([alert('A'), alert('A'), alert('B')], 'test');
    void queue.submit([alert('A')], 'test');
    await turn();
    expect(writer.writes).toHaveLength(1);
    const times = writer.writes[0]!.batch.map((sent) => `${sent.alert.labels['alertname']} ${sent.times}`);
    expect(times.sort()).toEqual(['A 3', 'B 1']);
  });

  it('writes two things about one alert after each other, in the order in which they were said', async () => {
    const writer = new HeldWriter();
    const done = writer.queue.submit([alert('A'), alert('A', { endsAt: 1_500 }), alert('B')], 'test');
    await turn();
    expect(writer.writes.map(namesOf)).toEqual([['A', 'B']]);
    writer.writes[0]!.commit();
    await turn();
    expect(writer.writes[1]!.batch.map((sent) => sent.alert.endsAt)).toEqual([1_500]);
    writer.writes[1]!.commit();
    await done;
  });

  it('refuses what would make too many wait, and takes it again when they are through', async () => {
    const writer = new HeldWriter();
    const { queue } = writer;
    const many = Array.from({ length: 50_000 }, (_, index) => alert(`A${index}`));
    const taken = [queue.submit([alert('first')], 'test')];
    await turn(); // and so it is under way, and does not wait any more
    taken.push(queue.submit(many, 'test'), queue.submit(many, 'test'));
    await expect(queue.submit([alert('over')], 'test')).rejects.toThrow(IngestOverloaded);

    while (writer.writes.length > 0) {
      writer.writes.shift()!.commit();
      await turn();
    }
    await Promise.all(taken);
    const again = queue.submit([alert('over')], 'test');
    await turn();
    writer.writes[0]!.commit();
    await again;
  });
});
