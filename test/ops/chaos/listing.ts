import type { ListedAlert } from './facts.ts';
import { ID_LABEL } from './delivery.ts';

export interface Access {
  url: string;
  /** A key that may read. */
  key: string;
}

/** Every alert of this run that the API knows, past ones too. */
export async function listAlerts(access: Access): Promise<ListedAlert[]> {
  type Item = { labels: Record<string, string>; state: string; occurrences: number };
  const items = await everyPage<Item>(access, 'alerts', { filter: 'alertname="Chaos"' });
  return items.map(({ labels, state, occurrences }) => ({ id: labels[ID_LABEL] ?? '', state, occurrences }));
}

/** The notifications that the hub has given up. */
export async function listDeadLetters(access: Access): Promise<string[]> {
  const items = await everyPage<{ id: string; error?: string }>(access, 'notifications', { state: 'dead' });
  return items.map(({ id, error }) => `${id}: ${error}`);
}

async function everyPage<T>({ url, key }: Access, what: string, query: Record<string, string>): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const search = new URLSearchParams({ ...query, limit: '1000', ...(cursor && { cursor }) });
    const response = await fetch(`${url}/api/v1/${what}?${search.toString()}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    if (!response.ok) throw new Error(`GET /api/v1/${what}: ${response.status} ${await response.text()}`);
    const page = (await response.json()) as Record<string, T[]> & { next?: string };
    items.push(...(page[what] ?? []));
    cursor = page.next;
  }
  return items;
}
