import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { Lifecycle } from 'eyrie/lifecycle';
import { Clock } from '../clock.js';
import { GROUPS_DUE } from '../ingest/statements.js';
import { FlushPass } from './flush.js';
import { NEXT_DUE } from './statements.js';

/** Looks for due groups at least so often: a notice may have been missed. */
const MAX_SLEEP_MS = 1_000;
/** A due group that another dispatcher has in hand must not be asked for without pause. */
const MIN_SLEEP_MS = 20;
const MAX_BACK_OFF_MS = 5_000;

/** Flushes groups as they fall due, until the application stops. Any number of workers may run one. */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap {
  private readonly logger = new Logger('Dispatcher');
  private stopping = false;
  private woken = false;
  private wake: () => void = () => undefined;
  private backOffMs = MIN_SLEEP_MS;

  constructor(
    private readonly database: Database,
    private readonly pass: FlushPass,
    private readonly clock: Clock,
    private readonly lifecycle: Lifecycle,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const unlisten = await this.database.listen(GROUPS_DUE, () => this.rouse());
    const loop = this.loop();
    this.lifecycle.onStop('dispatcher', async () => {
      this.stopping = true;
      this.rouse();
      await loop;
      await unlisten();
    });
  }

  private rouse(): void {
    this.woken = true;
    this.wake();
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      this.woken = false;
      try {
        const flushed = await this.pass.run();
        await this.sleep(await this.untilNextDue(flushed > 0));
        this.backOffMs = MIN_SLEEP_MS;
      } catch (error) {
        this.logger.warn({ err: error }, `flush failed, again in ${this.backOffMs} ms`);
        await this.sleep(this.backOffMs);
        this.backOffMs = Math.min(this.backOffMs * 2, MAX_BACK_OFF_MS);
      }
    }
  }

  private async untilNextDue(busy: boolean): Promise<number> {
    if (this.woken) return 0;
    const [row] = await this.database.query<{ due: number | null }>(NEXT_DUE);
    const wait = row?.due ? row.due * 1000 - this.clock.now() : MAX_SLEEP_MS;
    return Math.min(Math.max(wait, busy ? 0 : MIN_SLEEP_MS), MAX_SLEEP_MS);
  }

  /** Until the time is over or a notice comes; one that came since the last pass counts. */
  private sleep(milliseconds: number): Promise<void> {
    if (this.woken || this.stopping || milliseconds === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
