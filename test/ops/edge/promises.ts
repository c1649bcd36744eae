import type { CheckResult } from '../checks.ts';

/** Collects what was promised and whether it is kept. A promise that throws is broken; the next ones are still tried. */
export class Promises {
  readonly results: CheckResult[] = [];

  async keep(name: string, work: () => Promise<unknown>): Promise<void> {
    const began = performance.now();
    const faults = await work().then(
      () => [],
      (error: unknown) => [error instanceof Error ? error.message : String(error)],
    );
    this.results.push({ name, faults });
    const took = ((performance.now() - began) / 1000).toFixed(1);
    process.stdout.write(`${faults.length === 0 ? 'ok' : 'FAILED'} ${name} (${took} s)\n`);
  }
}
