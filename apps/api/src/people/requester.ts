import { type Requester } from 'eyrie/alerts';
import { actorOf, type AuthenticatedRequest, clientOf } from 'eyrie/auth';

/** A request whose caller is known, with the id by which logs and answers name it. */
export type IdentifiedRequest = AuthenticatedRequest & { id: string };

/** Whom the record names for what a request changes, and from where. */
export function requesterOf(request: IdentifiedRequest): Requester {
  return { actor: actorOf(request.caller), ...clientOf(request), requestId: request.id };
}
