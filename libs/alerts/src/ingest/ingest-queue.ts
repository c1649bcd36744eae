import { Injectable, Logger } from '@nestjs/common';
import { type IncomingAlert } from '../alert.js';
import { Clock } from '../clock.js';
import { AlertWriter, identify, type SentAlert } from './alert-writer.js';
import { Origin } from './origin.js';
import { alertsReceived, ingestWaiting } from '../alerts.metrics.js';

/** Alerts in one transaction at the most: enough to spread its cost, few enough to keep it short. */
const MAX_BATCH = 1_000;
/** Alerts that may wait for their transaction; beyond that the client is asked to come back. */
const MAX_WAITING = 100_000;

interface Submission {
  readonly alerts: readonly SentAlert[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class IngestOverloaded extends Error {
  constructor() {
    super(`more than ${MAX_WAITING} alerts wait to be stored`);
  }
}

/**
 * Lets concurrent requests share a transaction: what arrives while one is under way is committed together. Each caller
 * waits for its own commit. When a shared transaction fails, each request is tried alone, so that one cannot spoil another.
 */
@Injectable()
export class IngestQueue {
  private readonly logger = new Logger('IngestQueue');
  private readonly waiting: Submission[] = [];
  private waitingAlerts = 0;
  private busy = false;

  constructor(
    private readonly writer: AlertWriter,
    private readonly clock: Clock,
  ) {}

  /** Resolves when every alert is committed. @throws IngestOverloaded when too much is waiting already. */
  async submit(alerts: readonly IncomingAlert[], actor: string): Promise<void> {
    if (this.waitingAlerts + alerts.length > MAX_WAITING) throw new IngestOverloaded();
    const origin = new Origin(this.clock.now());
    const sent = alerts.map((alert) => identify(alert, actor, origin));
    // A request that names an alert twice says two things about it, in this order.
    for (const wave of spread(sent).waves) await this.enqueue(wave);
  }

  private enqueue(alerts: readonly SentAlert[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ alerts, resolve, reject });
      this.waitingAlerts += alerts.length;
      if (!this.busy) void this.drain();
    });
  }

  /**
   * One transaction at a time: while PostgreSQL works on it the next fills up, and fewer, fuller ones cost less. Each
   * takes half of the requests that are on their way, those included that were just answered: their callers come again
   * while the other half is in PostgreSQL, so that both have something to do all the time.
   */
  private async drain(): Promise<void> {
    this.busy = true;
    // Requests that are being read in this turn of the event loop belong together.
    await new Promise(setImmediate);
    let answered = Infinity;
    while (this.waiting.length > 0) {
      const batch = this.takeBatch(Math.ceil((answered + this.waiting.length) / 2));
      const answer = await this.commit(batch);
      answered = batch.length;
      // PostgreSQL has the next transaction before the callers of this one, and what they go on to do, take the CPU.
      if (this.waiting.length > 0) setImmediate(answer);
      else answer();
    }
    this.busy = false;
  }

  /** At the most so many requests, in the order in which they came. */
  private takeBatch(most: number): Submission[] {
    let count = 0;
    let size = 0;
    for (const { alerts } of this.waiting) {
      if (count > 0 && (count >= most || size + alerts.length > MAX_BATCH)) break;
      count += 1;
      size += alerts.length;
    }
    this.waitingAlerts -= size;
    ingestWaiting.set(this.waitingAlerts);
    return this.waiting.splice(0, count);
  }

  private count(written: readonly SentAlert[]): void {
    const now = this.clock.now();
    let firing = 0;
    let resolved = 0;
    for (const { alert, times } of written) {
      if (alert.endsAt > now) firing += times;
      else resolved += times;
    }
    if (firing > 0) alertsReceived.inc({ status: 'firing' }, firing);
    if (resolved > 0) alertsReceived.inc({ status: 'resolved' }, resolved);
  }

  /** Returns what tells the callers how it went. */
  private async commit(batch: readonly Submission[]): Promise<() => void> {
    const { waves, waveOf } = spread(batch.flatMap(({ alerts }) => alerts));
    let written = 0;
    try {
      for (const wave of waves) {
        wave.sort((a, b) => (a.order < b.order ? -1 : 1));
        await this.writer.write(wave);
        this.count(wave);
        written += 1;
      }
      return () => batch.forEach(({ resolve }) => resolve());
    } catch (error) {
      if (batch.length === 1) return () => batch[0]!.reject(error);
      this.logger.warn({ err: error }, `a shared transaction of ${batch.length} requests failed; each is tried alone`);
      let index = 0;
      for (const submission of batch) {
        // What is in an earlier wave is committed, and would be counted twice.
        const alerts = submission.alerts.filter(() => waveOf[index++]! >= written);
        const answer = await this.commit([{ ...submission, alerts }]);
        answer();
      }
      return () => undefined;
    }
  }
}

/**
 * As few waves as possible, each of which holds a fingerprint once: alerts that say the same are counted, not repeated.
 * `waveOf` has the number of the wave for each alert.
 */
function spread(alerts: SentAlert[]): { waves: SentAlert[][]; waveOf: number[] } {
  if (new Set(alerts.map(({ fingerprint }) => fingerprint)).size === alerts.length) {
    return { waves: [alerts], waveOf: alerts.map(() => 0) };
  }
  const waves: Map<string, SentAlert>[] = [];
  const lastWaveOf = new Map<string, number>();
  const waveOf = alerts.map((sent) => {
    const last = lastWaveOf.get(sent.fingerprint);
    const same = last === undefined ? undefined : waves[last]!.get(sent.fingerprint);
    if (same && saysTheSame(same, sent)) {
      waves[last!]!.set(sent.fingerprint, { ...same, times: same.times + sent.times });
      return last!;
    }
    const next = last === undefined ? 0 : last + 1;
    (waves[next] ??= new Map<string, SentAlert>()).set(sent.fingerprint, sent);
    lastWaveOf.set(sent.fingerprint, next);
    return next;
  });
  return { waves: waves.map((wave) => [...wave.values()]), waveOf };
}

function saysTheSame(one: SentAlert, other: SentAlert): boolean {
  return (
    one.content === other.content &&
    one.alert.startsAt === other.alert.startsAt &&
    one.alert.endsAt === other.alert.endsAt
  );
}
