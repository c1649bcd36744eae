import { IngestOverloaded, InvalidAlert } from 'eyrie/alerts';
import { actorOf as nameOf, type AuthenticatedRequest } from 'eyrie/auth';
import { Problem } from 'eyrie/server';

/** Whom the history names: the API key or the person. */
export function actorOf(request: AuthenticatedRequest): string {
  return nameOf(request.caller);
}

/** Turns what the hub refuses into the answer that a client understands. */
export async function storing<T>(store: () => Promise<T>): Promise<T> {
  try {
    return await store();
  } catch (error) {
    if (error instanceof InvalidAlert) {
      throw new Problem(400, 'invalid-alert', 'Nothing was stored', { errors: [...error.faults] });
    }
    if (error instanceof IngestOverloaded) {
      throw new Problem(503, 'overloaded', 'Too many alerts wait to be stored', { headers: { 'Retry-After': '5' } });
    }
    throw error;
  }
}
