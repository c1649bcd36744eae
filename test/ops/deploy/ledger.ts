import type { ListedAlert } from '../chaos/facts.ts';
import { ID_LABEL } from '../chaos/delivery.ts';
import type { Client } from './client.ts';

/** Every alert of the run that the product knows, past ones too: its own export. */
export async function exportAlerts(client: Client, key: string): Promise<ListedAlert[]> {
  const path = `/api/v1/alerts/export?filter=${encodeURIComponent('alertname="Load"')}`;
  const { status, body } = await client.send({ method: 'GET', path, key });
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${body.slice(0, 500)}`);
  const lines = body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  if (!lines.pop()?.end?.complete) throw new Error('the export was cut short');
  return lines
    .flatMap(({ alert }) => alert ?? [])
    .map(({ labels, ...rest }) => ({ ...rest, id: labels[ID_LABEL] ?? '' }));
}

/** The notifications that the product has given up. */
export async function deadLetters(client: Client, key: string): Promise<string[]> {
  const { status, body } = await client.send({
    method: 'GET',
    path: '/api/v1/notifications?state=dead&limit=1000',
    key,
  });
  if (status !== 200) throw new Error(`GET /api/v1/notifications: ${status} ${body.slice(0, 500)}`);
  const { notifications } = JSON.parse(body) as { notifications: { id: string; error?: string }[] };
  return notifications.map(({ id, error }) => `${id}: ${error}`);
}

interface Line {
  alert?: { labels: Record<string, string>; state: string; occurrences: number };
  end?: { complete: boolean };
}
