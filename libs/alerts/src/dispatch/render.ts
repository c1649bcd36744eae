import { type Integration } from '../config/index.js';
import { renderPayload, type NotificationPayload, type NotificationReason } from '../notify/index.js';
import { type Group, type Member } from './member.js';

/** The 16 hexadecimal digits by which Prometheus and Alertmanager show a fingerprint. */
export function fingerprintText(decimal: string): string {
  return BigInt.asUintN(64, BigInt(decimal)).toString(16).padStart(16, '0');
}

/** RFC 3339 from seconds since 1970. */
export function timeText(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString();
}

/** What an integration is told of a group: kept as it is, so that every attempt says the same. */
export function renderNotification(
  group: Group,
  integration: Integration,
  members: readonly Member[],
  reason: NotificationReason,
  externalURL: string,
): NotificationPayload {
  return renderPayload({
    receiver: integration.receiver,
    groupKey: group.key,
    groupLabels: group.labels,
    externalURL,
    reason,
    maxAlerts: integration.type === 'webhook' ? integration.maxAlerts : 0,
    alerts: members.map((member) => ({
      status: member.state,
      labels: member.labels,
      annotations: member.annotations,
      startsAt: timeText(member.starts_at),
      endsAt: timeText(member.ends_at),
      generatorURL: member.generator_url,
      fingerprint: fingerprintText(member.fingerprint),
    })),
  });
}
