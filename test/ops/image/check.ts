import type { CheckResult } from '../checks.ts';

/** Puts one promise to the test. Its faults are what `work` answers, or what it throws. */
export async function check(
  name: string,
  work: () => Promise<readonly string[] | void> | readonly string[] | void,
): Promise<CheckResult> {
  try {
    return { name, faults: (await work()) ?? [] };
  } catch (error) {
    return { name, faults: [error instanceof Error ? error.message : String(error)] };
  }
}

/** A fault unless both are the same, as JSON tells. */
export function same(what: string, is: unknown, wanted: unknown): string[] {
  const [one, other] = [JSON.stringify(is), JSON.stringify(wanted)];
  return one === other ? [] : [`${what} is ${one}, and should be ${other}`];
}
