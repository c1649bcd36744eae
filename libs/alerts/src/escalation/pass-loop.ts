import { Logger } from '@nestjs/common';

/** A timer that another worker has in hand must not be asked for without pause. */
const MIN_SLEEP_MS = 20;
/** What is new is found at least so soon. */
const MAX_SLEEP_MS = 1_000;
const MAX_BACK_OFF_MS = 5_000;

/** Runs a pass over timers that are rows, again and again until it is stopped; one that fails is tried again. */
export class PassLoop {
  private readonly logger: Logger;
  private stopping = false;
  private wake: () => void = () => undefined;
  private running: Promise<void> | undefined;

  /** @param pass answers in how many milliseconds the next one should come; that is kept to between 20 ms and a second */
  constructor(
    private readonly name: string,
    private readonly pass: () => Promise<number>,
  ) {
    this.logger = new Logger(name);
  }

  start(): void {
    this.running ??= this.loop();
  }

  /** Resolves when the pass under way has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake();
    await this.running;
  }

  private async loop(): Promise<void> {
    let backOffMs = MIN_SLEEP_MS;
    while (!this.stopping) {
      try {
        await this.sleep(Math.min(Math.max(await this.pass(), MIN_SLEEP_MS), MAX_SLEEP_MS));
        backOffMs = MIN_SLEEP_MS;
      } catch (error) {
        this.logger.warn({ err: error }, `${this.name} failed, again in ${backOffMs} ms`);
        await this.sleep(backOffMs);
        backOffMs = Math.min(backOffMs * 2, MAX_BACK_OFF_MS);
      }
    }
  }

  private sleep(milliseconds: number): Promise<void> {
    if (this.stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
