import { setTimeout as sleep } from 'node:timers/promises';

/** Asks every half second until the answer is yes. @returns how long that took, in ms; undefined if the limit passed first */
export async function until(ask: () => Promise<boolean>, limitMs: number): Promise<number | undefined> {
  const began = Date.now();
  for (;;) {
    // What cannot be asked yet has not come yet.
    if (await ask().catch(() => false)) return Date.now() - began;
    if (Date.now() - began > limitMs) return undefined;
    await sleep(500);
  }
}
