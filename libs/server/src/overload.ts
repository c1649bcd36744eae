import { monitorEventLoopDelay } from 'node:perf_hooks';

const sampleMs = 250;
const resolutionMs = 20;

/**
 * Watches how late the event loop comes to its work. While the mean delay of the last quarter of a second is above the
 * limit, more requests would only make everybody wait longer.
 */
export class OverloadWatch {
  private readonly delay = monitorEventLoopDelay({ resolution: resolutionMs });
  private readonly timer: NodeJS.Timeout;
  private over = false;

  constructor(private readonly limitMs: number) {
    this.delay.enable();
    this.timer = setInterval(() => this.sample(), sampleMs);
    this.timer.unref();
  }

  get overloaded(): boolean {
    return this.over;
  }

  close(): void {
    clearInterval(this.timer);
    this.delay.disable();
  }

  private sample(): void {
    // The histogram counts the whole interval between two of its ticks, its own resolution included.
    const meanMs = this.delay.count > 0 ? this.delay.mean / 1e6 - resolutionMs : 0;
    this.over = meanMs > this.limitMs;
    this.delay.reset();
  }
}
