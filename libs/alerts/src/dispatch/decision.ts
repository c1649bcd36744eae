import { type Integration } from '../config/index.js';

/** What an integration of a group was last told; fingerprints as signed decimals. */
export interface LogEntry {
  readonly firing: ReadonlySet<string>;
  readonly resolved: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly notifiedAt: number;
}

export interface Told<Alert> {
  readonly firing: readonly Alert[];
  readonly resolved: readonly Alert[];
}

/**
 * Whether an integration has to be told, and of what: Alertmanager's `DedupStage.needsUpdate` and the filter of its
 * `RetryStage`. `undefined`: nothing to tell, and the log stays as it is; `send: undefined`: only the log changes.
 */
export function decideNotification<Alert extends { fingerprint: string }>(
  entry: LogEntry | undefined,
  alerts: Told<Alert>,
  integration: Pick<Integration, 'sendResolved'>,
  repeatIntervalMs: number,
  now: number,
): { send: readonly Alert[] | undefined } | undefined {
  if (!needsUpdate(entry, alerts, integration.sendResolved, repeatIntervalMs, now)) return undefined;
  if (integration.sendResolved) return { send: [...alerts.firing, ...alerts.resolved] };
  return { send: alerts.firing.length > 0 ? alerts.firing : undefined };
}

function needsUpdate<Alert extends { fingerprint: string }>(
  entry: LogEntry | undefined,
  { firing, resolved }: Told<Alert>,
  sendResolved: boolean,
  repeatIntervalMs: number,
  now: number,
): boolean {
  if (!entry) return firing.length > 0;
  if (firing.some(({ fingerprint }) => !entry.firing.has(fingerprint))) return true;
  if (firing.length === 0) return entry.firing.size > 0;
  if (sendResolved && resolved.some(({ fingerprint }) => !entry.resolved.has(fingerprint))) return true;
  return entry.notifiedAt < now - repeatIntervalMs;
}
