import { formatDuration } from 'eyrie/config';
import * as z from 'zod';

const texts = z.record(z.string(), z.string());

/** What of Alertmanager's webhook payload (version 4) is shown. */
export const notification = z.object({
  receiver: z.string(),
  status: z.enum(['firing', 'resolved']),
  alerts: z.array(
    z.object({
      status: z.enum(['firing', 'resolved']),
      labels: texts,
      annotations: texts,
      startsAt: z.iso.datetime({ offset: true }),
      endsAt: z.iso.datetime({ offset: true }),
    }),
  ),
  truncatedAlerts: z.number().default(0),
});

export type Notification = z.infer<typeof notification>;
type Alert = Notification['alerts'][number];

/** A notification as one block of text for a person. */
export function describeNotification({ receiver, alerts, truncatedAlerts }: Notification, arrived: Date): string {
  const time = arrived.toISOString().slice(11, 23);
  const left = truncatedAlerts > 0 ? [`│ and ${truncatedAlerts} more`] : [];
  const lines = [
    `┌ ${time} notification for "${receiver}"`,
    ...alerts.flatMap((alert) => describeAlert(alert, arrived)),
    ...left,
    '└',
  ];
  return lines.map(printable).join('\n');
}

function describeAlert({ status, labels, annotations, startsAt, endsAt }: Alert, arrived: Date): string[] {
  const { alertname = '(no name)', ...others } = labels;
  const passed = arrived.getTime() - Date.parse(status === 'firing' ? startsAt : endsAt);
  const when = `${since(passed)} after it was ${status === 'firing' ? 'raised' : 'resolved'}`;
  return [
    `│ ${status.toUpperCase()} ${alertname}, ${when}`,
    ...(Object.keys(others).length > 0 ? [`│   ${list(others)}`] : []),
    ...Object.entries(annotations).map(([name, value]) => `│   ${name}: ${value.replaceAll('\n', ' ')}`),
  ];
}

function list(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join('  ');
}

/** Milliseconds while they matter. */
function since(ms: number): string {
  return ms < 10_000 ? `${ms} ms` : formatDuration(Math.round(ms / 1_000) * 1_000);
}

/** Whoever raises an alert must not be able to steer the terminal of whoever reads it. */
function printable(line: string): string {
  return line.replaceAll(/\p{Cc}/gu, '·');
}
