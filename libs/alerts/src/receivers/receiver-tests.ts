import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { JobQueue } from 'eyrie/jobs';
import { ALERTS_OPTIONS, type AlertsOptions } from '../alerts.config.js';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { Clock } from '../clock.js';
import { recordAudit } from '../people/audit-log.js';
import { type Requester } from '../people/requester.js';
import { BEGIN_TESTS, TEST_RESULTS } from './statements.js';
import { testReceiver } from './test-receiver.task.js';

/** The channel on which workers say that a test has ended; the payload is its id. */
export const TEST_SETTLED = 'eyrie_receiver_test';

export interface TestResult {
  integration: string;
  /** `unanswered`: no worker has said so in time. */
  outcome: 'delivered' | 'failed' | 'unanswered';
  error: string | null;
  durationMs: number | null;
}

/** What the way through the queue may take beyond the time limit of an attempt. */
const GRACE_MS = 2_000;
const LONGEST_WAIT_MS = 20_000;
/** A notice may be missed. */
const POLL_MS = 500;

/** Tries receivers out: the notifications go through a worker, over the network path that real ones take. */
@Injectable()
export class ReceiverTests {
  constructor(
    private readonly database: Database,
    private readonly jobs: JobQueue,
    private readonly configs: AlertsConfigStore,
    private readonly clock: Clock,
    @Inject(ALERTS_OPTIONS) private readonly options: Pick<AlertsOptions, 'notify'>,
  ) {}

  /** How it went with each integration, or `undefined` if there is no such receiver. Waits for as long as `limitMs`. */
  async send(
    receiver: string,
    by: Requester,
    limitMs = Math.min(this.options.notify.timeoutMs + GRACE_MS, LONGEST_WAIT_MS),
  ): Promise<TestResult[] | undefined> {
    const integrations = this.configs.config.receivers.get(receiver)?.integrations.map(({ key }) => key);
    if (!integrations || integrations.length === 0) return integrations && [];
    const id = randomUUID();
    await this.begin(id, receiver, integrations, by, limitMs);
    const results = await this.results(id, integrations.length, limitMs);
    return integrations.map(
      (integration) =>
        results.find((result) => result.integration === integration) ?? {
          integration,
          outcome: 'unanswered',
          error: 'no worker answered in time',
          durationMs: null,
        },
    );
  }

  private async begin(
    id: string,
    receiver: string,
    integrations: readonly string[],
    by: Requester,
    limitMs: number,
  ): Promise<void> {
    const now = this.clock.now();
    await this.database.transaction(async (tx) => {
      await tx.query(BEGIN_TESTS, [id, integrations, now / 1000, (now + limitMs) / 1000]);
      await recordAudit(tx, by, { action: 'receiver.tested', subject: `receiver:${receiver}`, data: { id } }, now);
      await this.jobs.enqueueMany(
        tx,
        testReceiver,
        integrations.map((integration) => ({ payload: { id, integration } })),
      );
    });
  }

  private async results(id: string, wanted: number, limitMs: number): Promise<TestResult[]> {
    const deadline = performance.now() + limitMs;
    let wake: () => void = () => undefined;
    const unlisten = await this.database.listen(TEST_SETTLED, (payload) => {
      if (payload === id || payload === '') wake();
    });
    try {
      for (;;) {
        const noticed = new Promise<void>((resolve) => (wake = resolve));
        const results = await this.database.query<TestResult>(TEST_RESULTS, [id]);
        const leftMs = deadline - performance.now();
        if (results.length === wanted || leftMs <= 0) return results;
        const timer = setTimeout(() => wake(), Math.min(leftMs, POLL_MS));
        await noticed;
        clearTimeout(timer);
      }
    } finally {
      await unlisten();
    }
  }
}
