import { type Integration } from '../config/index.js';
import { type NotificationReason } from '../notify/index.js';

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
 * Whether an integration has to be told, of what, and why: Alertmanager's `DedupStage.needsUpdate` and the filter of its
 * `RetryStage`. `undefined`: nothing to tell, and the log stays as it is; `send: undefined`: only the log changes.
 */
export function decideNotification<Alert extends { fingerprint: string }>(
  entry: LogEntry | undefined,
  alerts: Told<Alert>,
  integration: Pick<Integration, 'sendResolved'>,
  repeatIntervalMs: number,
  now: number,
): { send: readonly Alert[] | undefined; reason: NotificationReason } | undefined {
  const reason = reasonToTell(entry, alerts, integration.sendResolved, repeatIntervalMs, now);
  if (!reason) return undefined;
  if (integration.sendResolved) return { send: [...alerts.firing, ...alerts.resolved], reason };
  return { send: alerts.firing.length > 0 ? alerts.firing : undefined, reason };
}

function reasonToTell<Alert extends { fingerprint: string }>(
  entry: LogEntry | undefined,
  { firing, resolved }: Told<Alert>,
  sendResolved: boolean,
  repeatIntervalMs: number,
  now: number,
): NotificationReason | undefined {
  if (!entry) return firing.length > 0 ? 'first notification' : undefined;
  if (firing.some(({ fingerprint }) => !entry.firing.has(fingerprint))) return 'new alerts added';
  if (firing.length === 0) return entry.firing.size > 0 ? 'all alerts resolved' : undefined;
  if (sendResolved && resolved.some(({ fingerprint }) => !entry.resolved.has(fingerprint))) {
    return 'some alerts resolved';
  }
  return entry.notifiedAt < now - repeatIntervalMs ? 'repeat interval elapsed' : undefined;
}
