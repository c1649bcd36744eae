import { redact } from 'eyrie/logging';
import { errorText, shortText } from './error-text.js';
import type { HealthDetails, HealthStatus } from './health-check.js';

/** An outcome in the one form that the rest works with. */
export interface ReadOutcome {
  status: HealthStatus;
  details?: HealthDetails;
  error?: string;
}

const severity: readonly HealthStatus[] = ['healthy', 'degraded', 'unhealthy'];
const ofTerminus = new Map<unknown, HealthStatus>([
  ['up', 'healthy'],
  ['degraded', 'degraded'],
  ['down', 'unhealthy'],
]);
const mostDetails = 32;

/** The most severe of some states; healthy if there are none. */
export function worstOf(statuses: Iterable<HealthStatus>): HealthStatus {
  let worst = 0;
  for (const status of statuses) worst = Math.max(worst, severity.indexOf(status));
  return severity[worst] ?? 'healthy';
}

/** What a check resolved to: a result of Terminus, the simple form, or anything else, which means healthy. */
export function readOutcome(value: unknown): ReadOutcome {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { status: 'healthy' };
  const parts = terminusParts(value);
  if (parts) return readTerminus(parts);
  const { status = 'healthy', details } = value as { status?: unknown; details?: unknown };
  if (!severity.includes(status as HealthStatus)) return failedOutcome(`unknown status: ${String(status)}`);
  return { status: status as HealthStatus, ...detailsOf(details) };
}

/** What a check threw or rejected with. */
export function failedOutcome(error: unknown): ReadOutcome {
  return { status: 'unhealthy', error: errorText(error) };
}

type TerminusParts = [key: string, part: Record<string, unknown>][];

/** `{ key: { status: 'up' | 'degraded' | 'down', … } }`, mostly with a single key. */
function terminusParts(value: object): TerminusParts | undefined {
  const parts = Object.entries(value) as [string, unknown][];
  const isPart = (part: unknown) =>
    typeof part === 'object' && part !== null && ofTerminus.has((part as { status?: unknown }).status);
  return parts.length > 0 && parts.every(([, part]) => isPart(part)) ? (parts as TerminusParts) : undefined;
}

function readTerminus(parts: TerminusParts): ReadOutcome {
  const status = worstOf(parts.map(([, part]) => ofTerminus.get(part['status']) ?? 'unhealthy'));
  const fields = parts.flatMap(([key, { status: _status, message: _message, ...rest }]) =>
    Object.entries(rest).map(([name, value]) => [parts.length > 1 ? `${key}.${name}` : name, value]),
  );
  const messages = parts.flatMap(([, { message }]) => (typeof message === 'string' ? [message] : []));
  return {
    status,
    ...detailsOf(Object.fromEntries(fields)),
    ...(messages.length > 0 && { error: shortText(messages.join('; ')) }),
  };
}

/** Numbers, flags and short texts; everything else is left out, and so are secrets. */
function detailsOf(value: unknown): { details?: HealthDetails } {
  if (typeof value !== 'object' || value === null) return {};
  const plain = Object.entries(value)
    .filter(([, field]) => typeof field === 'string' || typeof field === 'boolean' || Number.isFinite(field))
    .slice(0, mostDetails) as [string, number | string | boolean][];
  if (plain.length === 0) return {};
  const safe = Object.entries(redact(Object.fromEntries(plain)));
  return {
    details: Object.fromEntries(
      safe.map(([key, field]) => [key, typeof field === 'string' ? shortText(field) : field]),
    ),
  };
}
