const tickMs = 100;

/**
 * Watches how late the event loop comes to its work. Above the limit more requests would only make everybody wait longer.
 *
 * A timer that is overdue is late already, whether it has run or not: so the limit holds within one long turn of the
 * loop too, in which hundreds of connections are read one after the other. Once over the limit, it stays so until a
 * whole tick was late by no more than half of that.
 */
export class OverloadWatch {
  private readonly timer: NodeJS.Timeout;
  private due: number;
  private lateMs = 0;
  private over = false;

  /** @param now milliseconds of a monotonic clock */
  constructor(
    private readonly limitMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.due = now() + tickMs;
    this.timer = setInterval(() => this.tick(), tickMs);
    this.timer.unref();
  }

  get overloaded(): boolean {
    this.over ||= this.now() - this.due > this.limitMs;
    return this.over;
  }

  /** How late the loop was at the last tick, or is by now. */
  get delayMs(): number {
    return Math.max(this.lateMs, this.now() - this.due);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const now = this.now();
    this.lateMs = Math.max(0, now - this.due);
    this.due = now + tickMs;
    this.over = this.lateMs > (this.over ? this.limitMs / 2 : this.limitMs);
  }
}
