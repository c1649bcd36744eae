import { compareBytes, type Labels, labelValue } from '../config/labels.js';

/**
 * The order of alerts in a notification, Alertmanager's: by `job`, then by `instance`, an alert without one after those
 * that have it; then fewer labels first; then the first label that differs, in the order of names, decides: who lacks it
 * comes first, else the smaller value does.
 */
export function compareAlerts(one: Labels, other: Labels): number {
  for (const name of ['job', 'instance']) {
    const [mine, theirs] = [labelValue(one, name), labelValue(other, name)];
    if (mine === theirs) continue;
    if (mine === '') return 1;
    return theirs === '' ? -1 : compareBytes(mine, theirs);
  }
  return compareLabels(one, other);
}

/** The second half of {@link compareAlerts}: the order of label sets. */
export function compareLabels(one: Labels, other: Labels): number {
  const [names, otherNames] = [Object.keys(one), Object.keys(other)];
  if (names.length !== otherNames.length) return names.length - otherNames.length;
  for (const name of [...names, ...otherNames].sort(compareBytes)) {
    const [mine, theirs] = [labelValue(one, name), labelValue(other, name)];
    // A label that is absent has the value '', which sorts before all others: who lacks it comes first.
    if (mine !== theirs) return compareBytes(mine, theirs);
  }
  return 0;
}
