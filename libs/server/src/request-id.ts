import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Long enough to be unique, short enough to log, and nothing that could break out of a log line or a header. */
const wellFormed = /^[\w.:-]{8,128}$/;

/** Takes the X-Request-ID of a trusted peer if it is well formed, else makes one. */
export function requestIds(isTrusted: (address: string | undefined) => boolean): (request: IncomingMessage) => string {
  return (request) => {
    const given = request.headers['x-request-id'];
    if (typeof given !== 'string' || !wellFormed.test(given)) return randomUUID();
    return isTrusted(request.socket.remoteAddress) ? given : randomUUID();
  };
}
