import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again and again until the answer is something (not `undefined` or `false`), and returns it.
 * @throws what `ask` last threw, or a sentence, when the limit has passed
 */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  limitMs = 5_000,
): Promise<Exclude<T, undefined | false | void>> {
  for (const deadline = Date.now() + limitMs; ; await sleep(10)) {
    let failure: unknown = new Error(`nothing came within ${limitMs} ms`);
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false | void>;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline) throw failure;
  }
}
