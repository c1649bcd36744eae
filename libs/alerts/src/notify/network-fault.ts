import { refusalIn } from './address-guard.js';
import type { Delivery } from './types.js';

/** What happened, in words, by the code of the error. */
const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'closed the connection before it answered',
  EPIPE: 'closed the connection before it answered',
  UND_ERR_SOCKET: 'closed the connection before it answered',
  ECONNECTION: 'closed the connection before it answered',
  ENOTFOUND: 'is not known to the name service',
  EAI_AGAIN: 'cannot be looked up now: the name service does not answer',
  EHOSTUNREACH: 'cannot be reached: no route',
  ENETUNREACH: 'cannot be reached: no network',
  ETIMEDOUT: 'did not answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'did not accept a connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'did not answer in time',
};

/** Errors that lie in the request itself: no other attempt would fare better. */
const unsendable = new Set(['UND_ERR_INVALID_ARG', 'ERR_INVALID_URL', 'ERR_INVALID_CHAR']);

/**
 * What an error of the network means. The messages of such errors are not repeated, for some quote URLs or headers; their
 * codes are.
 */
export function describeFault(target: string, error: unknown): Delivery {
  const refusal = refusalIn(error);
  if (refusal) return { outcome: 'final', error: `${target} ${refusal.message}` };
  const code = codeOf(error);
  if (unsendable.has(code)) {
    return { outcome: 'final', error: `${target}: the request cannot be sent, its URL or a header is not valid` };
  }
  return { outcome: 'recoverable', error: `${target} ${sentences[code] ?? `failed with ${code}`}` };
}

/** The code of the system where there is one: nodemailer keeps it beside a code of its own, undici in the cause. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'an unknown error';
  const { originalCode, code, cause, name } = error as Record<string, unknown>;
  const known = [originalCode, code].find((each) => typeof each === 'string');
  if (known !== undefined) return known;
  return cause === undefined ? String(name) : codeOf(cause);
}
