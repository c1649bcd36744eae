import { compareBytes, type Labels, labelValue } from '../config/labels.js';
import type { NotificationPayload } from './types.js';

/** A mail server need not take a longer header, and nobody reads more of a title. */
const longestTitle = 250;

/** Alertmanager's default: `[FIRING:2] values of the group (other common values)`. */
export function titleOf({ status, alerts, groupLabels, commonLabels }: NotificationPayload): string {
  const firing = alerts.filter((alert) => alert.status === 'firing').length;
  const others = sortedPairs(commonLabels).filter(([name]) => labelValue(groupLabels, name) === '');
  const words = [
    status === 'firing' ? `[FIRING:${firing}]` : '[RESOLVED]',
    ...sortedPairs(groupLabels).map(([, value]) => value),
    others.length > 0 ? `(${others.map(([, value]) => value).join(' ')})` : '',
  ];
  const title = words.join(' ').replace(/\s+/g, ' ').trim();
  return title.length > longestTitle ? `${title.slice(0, longestTitle)}…` : title;
}

/** Pairs by name, `alertname` first: Alertmanager's `SortedPairs`. */
export function sortedPairs(labels: Labels): [name: string, value: string][] {
  const rank = (name: string) => (name === 'alertname' ? 0 : 1);
  return Object.entries(labels).sort(([one], [other]) => rank(one) - rank(other) || compareBytes(one, other));
}
