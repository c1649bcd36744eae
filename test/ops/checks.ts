/** One promise that was put to the test; without faults it is kept. */
export interface CheckResult {
  name: string;
  faults: readonly string[];
}

const SHOWN = 5;

/** A line a promise, the first faults of each that is broken, and the closing count. */
export function renderChecks(results: readonly CheckResult[]): string {
  const lines = results.flatMap(({ name, faults }) => {
    const more = faults.length > SHOWN ? [`       and ${faults.length - SHOWN} more`] : [];
    const shown = faults.slice(0, SHOWN).map((fault) => `       ${fault.replaceAll('\n', '\n       ')}`);
    return [`${faults.length === 0 ? '  ok  ' : 'FAILED'} ${name}`, ...shown, ...more];
  });
  const failed = results.filter(({ faults }) => faults.length > 0).length;
  return [...lines, `${results.length - failed} passed, ${failed} failed`].join('\n');
}
