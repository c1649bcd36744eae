/** No answer came in time. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/**
 * The answer, or {@link NoAnswer} after `ms`; what comes later is ignored.
 *
 * An answer that had arrived while the event loop was busy elsewhere is in time: Node runs timers before it reads from
 * sockets, so the verdict waits for one round of reading. Else every long computation would look like a hung server.
 */
export async function answerWithin<T>(ms: number, answer: Promise<T>): Promise<T> {
  const { promise: limit, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(new NoAnswer(`no answer within ${ms} ms`));
  const timer = setTimeout(() => setImmediate(giveUp), ms);
  try {
    return await Promise.race([answer, limit]);
  } finally {
    clearTimeout(timer);
  }
}
