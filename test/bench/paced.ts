import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Open loop: each request is due at a fixed time whatever became of those before, and its time counts from then.
 * @returns milliseconds of each, in the order in which they were due
 */
export async function paced(
  { perSecond, count }: { perSecond: number; count: number },
  ask: (index: number) => Promise<void>,
): Promise<number[]> {
  const started = performance.now() + 20;
  const answers: Promise<number>[] = [];
  for (let index = 0; index < count; index++) {
    const due = started + (index * 1_000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    answers.push(ask(index).then(() => performance.now() - due));
  }
  return Promise.all(answers);
}

/** @throws unless the answer is a 2xx */
export async function expectOk(url: string, init: RequestInit): Promise<void> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`);
}

/** The headers of a request that brings JSON and a key. */
export function jsonHeaders(key: string): Record<string, string> {
  return { 'content-type': 'application/json', authorization: `Bearer ${key}` };
}
