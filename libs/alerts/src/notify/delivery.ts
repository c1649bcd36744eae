import { parseRetryAfter } from './backoff.js';
import type { Delivery } from './types.js';

/** What an HTTP receiver answered. */
export interface HttpAnswer {
  statusCode: number;
  retryAfter?: string | undefined;
  /** The beginning of the body, already fit to be shown. */
  excerpt?: string | undefined;
}

/** Answers of the 4xx class that say "not now" rather than "not this". */
const notNow = new Set([408, 425, 429]);

/**
 * What an answer means for the notification: 2xx delivered; 5xx, 408, 425 and 429 recoverable; other 4xx and 3xx final.
 *
 * @param target - how errors name the receiver; must hold no secret
 */
export function classifyHttp(target: string, answer: HttpAnswer, now: number): Delivery {
  const { statusCode } = answer;
  if (statusCode >= 200 && statusCode < 300) return { outcome: 'delivered', statusCode };
  const error = `${target} answered ${statusCode}${answer.excerpt ? `: ${answer.excerpt}` : ''}`;
  if (statusCode < 500 && !notNow.has(statusCode)) return { outcome: 'final', error, statusCode };
  const retryAfterMs = parseRetryAfter(answer.retryAfter, now);
  return { outcome: 'recoverable', error, statusCode, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/**
 * What an SMTP reply means: 5yz is a permanent refusal (RFC 5321, 4.2.1), all else, and no reply at all, may pass. 503
 * says that the commands came in a wrong order, not that the message was refused.
 */
export function smtpOutcome(replyCode: number | undefined): 'recoverable' | 'final' {
  return replyCode !== undefined && replyCode >= 500 && replyCode < 600 && replyCode !== 503 ? 'final' : 'recoverable';
}
