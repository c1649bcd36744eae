import { setImmediate as nextTurn } from 'node:timers/promises';

const sliceMs = 2;

/**
 * Lets the event loop go on between slices of long work, so that a scrape of very many series delays no request.
 * @example const breather = new Breather(); for (…) { if (breather.isDue()) await breather.pause(); … }
 */
export class Breather {
  private began = performance.now();

  isDue(): boolean {
    return performance.now() - this.began > sliceMs;
  }

  async pause(): Promise<void> {
    await nextTurn();
    this.began = performance.now();
  }
}
