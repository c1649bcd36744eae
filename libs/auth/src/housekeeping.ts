import { Inject, Injectable, Logger } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { AUTH_OPTIONS, type AuthOptions } from './auth.options.js';

const everyMs = 10 * 60_000;
const yearMs = 365 * 86_400_000;

/** Rows at once, so that no statement holds others up for long. */
const atOnce = 5_000;

/** Removes what is over: tokens, sessions, counters of failed logins, and the oldest of the record. */
@Injectable()
export class Housekeeping {
  private readonly logger = new Logger('Auth');
  private timer: NodeJS.Timeout | undefined;
  private underway: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    @Inject(AUTH_OPTIONS) private readonly options: AuthOptions,
  ) {}

  /** Now and then, at moments of its own in each process. */
  start(): void {
    const pause = everyMs * (0.75 + Math.random() / 2);
    this.timer = setTimeout(() => {
      this.underway = this.run().catch((error: unknown) =>
        this.logger.debug(`Nothing was tidied up: ${String(error)}`),
      );
      void this.underway.then(() => this.timer && this.start());
    }, pause);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.underway;
  }

  /** Sessions are kept 90 days after their end: from where somebody has logged in counts for as long. */
  async run(): Promise<void> {
    const keptMs = this.options.authEventsKeptMs ?? yearMs;
    await this.remove('session_tokens', `expires_at < now() - interval '1 day'`);
    await this.remove(
      'sessions',
      `created_at < now() - interval '90 days' AND (ended_at < now() OR expires_at < now())`,
    );
    await this.remove('login_attempts', `last_at < now() - interval '1 hour' AND blocked_until < now()`);
    await this.remove('auth_events', `at < now() - $1 * interval '1 ms'`, [keptMs]);
  }

  private async remove(table: string, condition: string, parameters: unknown[] = []): Promise<void> {
    for (let removed = atOnce; removed === atOnce;) {
      const rows = await this.database.query(
        `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE ${condition} LIMIT ${atOnce}
           FOR UPDATE SKIP LOCKED)) RETURNING 1`,
        parameters,
      );
      removed = rows.length;
    }
  }
}
