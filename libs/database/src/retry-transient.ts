/**
 * SQLSTATEs after which the same work may simply run again (PostgreSQL, appendix A): serialization failure, deadlock, and
 * the division by zero by which a statement of ours says that what it relied on has changed under it.
 */
const TRANSIENT = new Set(['40001', '40P01', '22012']);
const MAX_TRIES = 5;

/** Runs work that commits all or nothing, again where it lost against other transactions. */
export async function retryTransient<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === MAX_TRIES || !TRANSIENT.has((error as { code?: string }).code ?? '')) throw error;
    }
  }
}
