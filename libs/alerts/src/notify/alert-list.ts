import { labelValue } from '../config/labels.js';
import { sortedPairs } from './title.js';
import { truncate } from './truncate.js';
import type { AlertData, NotificationPayload } from './types.js';

/** Whoever is called by a message acts on its first lines; the rest is behind the link. */
const mostLines = 20;
const longestLine = 300;

/** The annotations that say what is wrong, the most telling one first. */
const sayings = ['summary', 'message', 'description', 'title'];

/**
 * The alerts of a notification for people, a line each: what is wrong, and the labels by which it differs from the others.
 * Firing ones come first, under headings where there are both.
 *
 * @param status - only alerts of this status, without a heading
 */
export function listAlerts(payload: NotificationPayload, status?: AlertData['status']): string {
  const firing = payload.alerts.filter((alert) => alert.status === 'firing');
  const resolved = payload.alerts.filter((alert) => alert.status === 'resolved');
  if (status) return section(payload, status === 'firing' ? firing : resolved, mostLines).join('\n');
  if (firing.length === 0 || resolved.length === 0) return section(payload, payload.alerts, mostLines).join('\n');
  const room = Math.max(mostLines - firing.length, mostLines / 4);
  return [
    `Firing (${firing.length})`,
    ...section(payload, firing, mostLines - Math.min(room, resolved.length)),
    `Resolved (${resolved.length})`,
    ...section(payload, resolved, room),
  ].join('\n');
}

function section({ commonLabels }: NotificationPayload, alerts: readonly AlertData[], most: number): string[] {
  const lines = alerts.slice(0, most).map((alert) => {
    const own = sortedPairs(alert.labels).filter(([name]) => labelValue(commonLabels, name) === '');
    const differs = own.map(([name, value]) => `${name}=${value}`).join(', ');
    return truncate(`• ${sayingOf(alert)}${differs && ` (${differs})`}`.replace(/\s+/g, ' '), longestLine);
  });
  return alerts.length > most ? [...lines, `… and ${alerts.length - most} more`] : lines;
}

function sayingOf({ annotations, labels }: AlertData): string {
  const saying = sayings.map((name) => labelValue(annotations, name)).find((text) => text.trim() !== '');
  return saying ?? (labelValue(labels, 'alertname') || 'alert');
}
