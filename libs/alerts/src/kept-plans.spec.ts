import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { type TestDatabase, testDatabase } from '../../../test/harness/postgres.js';
import { LOAD, SETTLE } from './deliver/statements.js';
import { CLAIM_DUE, LOG_ENTRIES, MEMBERS, TELL } from './dispatch/statements.js';
import { LOCK_CURRENT, TOUCH, TOUCH_FEW } from './ingest/statements.js';
import { alertsSession } from './session.js';

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  Plans?: PlanNode[];
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** Tables that stay small, and so may be read from end to end. */
const small = new Set(['receiver_health', 'silences_revision']);

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await testDatabase();
  const options = Object.entries(alertsSession).map(([name, value]) => `-c ${name}=${value}`);
  client = new Client({ connectionString: database.url, options: options.join(' ') });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

/** Of a plan that holds for all parameters, made while the tables are empty. */
async function planOf(text: string): Promise<PlanNode[]> {
  const { rows } = await client.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
    `EXPLAIN (GENERIC_PLAN, FORMAT JSON) ${text}`,
  );
  return nodesOf(rows[0]!['QUERY PLAN'][0]!.Plan);
}

/** The scans that read more than an index finds. */
async function endlessScans(text: string): Promise<string[]> {
  return (await planOf(text))
    .filter((node) => node['Node Type'] === 'Seq Scan' || (node['Index Name'] && !node['Index Cond']))
    .filter((node) => !small.has(node['Relation Name'] ?? ''))
    .map((node) => `${node['Node Type']} ${node['Index Name'] ?? node['Relation Name']}`);
}

describe('the plan of a statement that is planned once for a connection', () => {
  it.each([TOUCH_FEW, LOCK_CURRENT, CLAIM_DUE, MEMBERS, LOG_ENTRIES, TELL, LOAD, SETTLE])(
    'H1: $name reads what its array names and nothing else, even if it was made for empty tables',
    async ({ text }) => expect(await endlessScans(text)).toEqual([]),
  );

  it.each([TOUCH_FEW, TOUCH, LOCK_CURRENT])('H1: $name meets rows in the order of their index', async ({ text }) => {
    expect((await planOf(text)).filter((node) => node['Node Type'].startsWith('Bitmap'))).toEqual([]);
  });

  it('is the one that PostgreSQL goes on to use', async () => {
    const values = [['1'], ['1'], [0], [0], [1], 0];
    for (const { name, text } of [TOUCH_FEW, TOUCH]) {
      for (let time = 0; time < 10; time++) await client.query({ name, text, values });
    }
    const { rows } = await client.query<{ name: string; generic: number }>(
      'SELECT name, generic_plans::int AS generic FROM pg_prepared_statements ORDER BY name DESC',
    );
    expect(rows).toEqual([
      { name: TOUCH_FEW.name, generic: 5 },
      { name: TOUCH.name, generic: 0 },
    ]);
  });
});
