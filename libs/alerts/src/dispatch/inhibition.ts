import { type Queryable } from 'eyrie/database';
import { type Routing } from '../ingest/routing.js';
import { type Member } from './member.js';
import { INHIBITORS } from './statements.js';

interface InhibitorRow {
  key: string;
  alert_id: string;
  two_sided: boolean;
}

/** What inhibition needs to know of an alert. */
export type Inhibitable = Pick<Member, 'id' | 'labels'>;

/**
 * Which alerts are inhibited, and by whom: for each target, the firing sources of the rules that it matches whose `equal`
 * labels agree. As in Alertmanager, an alert that matches both sides of a rule is not inhibited by another such one, and
 * so never by itself. One statement, however many alerts; none without inhibit rules.
 */
export async function findInhibitors(
  tx: Queryable,
  routing: Routing,
  alerts: readonly Inhibitable[],
  now: number,
): Promise<Map<string, string[]>> {
  const wanted = alerts.flatMap(({ id, labels }) => routing.inhibitableBy(labels).map((ref) => ({ id, ...ref })));
  const inhibitedBy = new Map<string, string[]>();
  if (wanted.length === 0) return inhibitedBy;
  const keys = [...new Set(wanted.map(({ key }) => key))];
  const rows = await tx.query<InhibitorRow>(INHIBITORS, [keys, now / 1000]);
  const sources = Map.groupBy(rows, ({ key }) => key);
  for (const { id, key, twoSided } of wanted) {
    const found = (sources.get(key) ?? []).filter((source) => !(twoSided && source.two_sided));
    if (found.length > 0)
      inhibitedBy.set(id, [...(inhibitedBy.get(id) ?? []), ...found.map(({ alert_id }) => alert_id)]);
  }
  return inhibitedBy;
}
