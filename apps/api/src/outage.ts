import { isDatabaseUnavailable } from 'eyrie/database';
import { Problem } from 'eyrie/server';

/** While PostgreSQL is away it is not our fault but a pause: 503, so that clients and proxies try again. */
export function outageProblem(error: unknown): Problem | undefined {
  if (!isDatabaseUnavailable(error)) return undefined;
  return new Problem(503, 'unavailable', 'The database cannot be reached at the moment', {
    headers: { 'Retry-After': '1' },
    cause: error,
  });
}
