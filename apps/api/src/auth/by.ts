import { type Actor, actorOf, type AuthenticatedRequest, clientOf } from 'eyrie/auth';

/** Whom the record names for what a request changes, and from where. */
export function by(request: AuthenticatedRequest): Actor {
  return { name: actorOf(request.caller), client: clientOf(request) };
}
