import { type Labels, labelValue } from '../config/labels.js';
import { compareAlerts } from './alert-order.js';
import type { AlertData, NotificationPayload, NotificationReason } from './types.js';

/** Go's zero time, which Alertmanager sends as the end of an alert that still fires. */
export const noEnd = '0001-01-01T00:00:00Z';

/** What a payload is made of. */
export interface PayloadParts {
  receiver: string;
  groupKey: string;
  groupLabels: Labels;
  externalURL: string;
  /** In any order; the end of a firing alert is not looked at. */
  alerts: readonly (Omit<AlertData, 'endsAt'> & { endsAt?: string | undefined })[];
  /** The integration's `max_alerts`; 0 sends all. */
  maxAlerts?: number | undefined;
  reason?: NotificationReason | undefined;
}

/**
 * Assembles what a receiver is told, as Alertmanager does: alerts in its order, cut off at `maxAlerts` **before** status
 * and common labels are taken from what is left, and the receiver's name escaped as a regular expression (so it is in
 * Alertmanager, whose templates put it into a filter of its console).
 */
export function renderPayload(parts: PayloadParts): NotificationPayload {
  const sorted = parts.alerts.toSorted((one, other) => compareAlerts(one.labels, other.labels));
  const sent = parts.maxAlerts ? sorted.slice(0, parts.maxAlerts) : sorted;
  const alerts = sent.map((alert) => ({
    status: alert.status,
    labels: alert.labels,
    annotations: alert.annotations,
    startsAt: alert.startsAt,
    endsAt: alert.status === 'firing' ? noEnd : (alert.endsAt ?? noEnd),
    generatorURL: alert.generatorURL,
    fingerprint: alert.fingerprint,
  }));
  return {
    receiver: parts.receiver.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'),
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    alerts,
    groupLabels: parts.groupLabels,
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    externalURL: parts.externalURL,
    version: '4',
    groupKey: parts.groupKey,
    truncatedAlerts: sorted.length - sent.length,
    ...(parts.reason && { notification_reason: parts.reason }),
  };
}

/** The pairs that all have. An empty value equals a missing one, as a label's does in Go. */
function common([first = {}, ...others]: readonly Labels[]): Labels {
  const pairs = Object.entries(first).filter(([name, value]) =>
    others.every((other) => labelValue(other, name) === value),
  );
  return Object.fromEntries(pairs);
}
