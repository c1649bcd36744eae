/** What a receiver that hangs, one that fails and one that refuses cost the others: they share a worker, and nothing else. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseServer } from '../harness/database-server.ts';
import { type Cleanup, freePort } from '../harness/processes.ts';
import { startProduct } from '../harness/product.ts';
import { type Fate, takeWebhooks } from './hooks.ts';
import { expectOk, jsonHeaders, paced } from './paced.ts';
import type { Row } from './report.ts';
import { median, percentile } from './statistics.ts';

const AT_MOST = 1.5;
const PER_SECOND = 80;
/** Every other alert is for a receiver that is well. */
const RECEIVERS = ['well', 'hangs', 'well', 'fails', 'well', 'refuses'];
const SICK: Readonly<Record<string, Fate>> = { '/hangs': 'never', '/fails': 500 };
const DRAIN_MS = 3_000;

/** Each alert its own group, told at once. `refuses` moves to a port where nobody listens. */
function configFor(hook: string, refusing: string): string {
  const routes = ['well', 'hangs', 'fails', 'refuses']
    .map((name) => `    - { receiver: ${name}, matchers: ['for="${name}"'] }`)
    .join('\n');
  const urls = { well: hook, hangs: hook, fails: hook, refuses: refusing };
  const receivers = Object.entries(urls)
    .map(([name, url]) => `  - name: ${name}\n    webhook_configs: [{ url: '${url}/${name}', send_resolved: false }]`)
    .join('\n');
  return `route:
  receiver: well
  group_by: ['...']
  group_wait: 0s
  group_interval: 30m
  repeat_interval: 4h
  routes:
${routes}
receivers:
${receivers}
`;
}

export async function runIsolation(
  database: DatabaseServer,
  directory: string,
  { seconds }: { seconds: number },
  cleanup: Cleanup,
): Promise<Row[]> {
  const due = new Map<string, number>();
  const latencies: number[] = [];
  let sick = false;
  const hook = await takeWebhooks(
    {
      fate: (path) => (sick ? SICK[path] : undefined) ?? 200,
      take(path, alerts) {
        if (path !== '/well') return;
        for (const { labels } of alerts) {
          const since = due.get(labels.serial!);
          if (due.delete(labels.serial!)) latencies.push(performance.now() - since!);
        }
      },
    },
    cleanup,
  );
  const folder = join(directory, 'isolation');
  await mkdir(folder, { recursive: true });
  const product = async (name: string, refusing: string) => {
    const alertsConfig = join(folder, `${name}.yml`);
    await writeFile(alertsConfig, configFor(hook, refusing));
    const databaseUrl = await database.createDatabase(`${name}_bench`);
    const settings = { DRAIN_DELAY: '0s', RATE_LIMIT_API: 'none', NOTIFY_ALLOW_PRIVATE: '127.0.0.0/8' };
    const options = { name, databaseUrl, alertsConfig, directory: folder, settings };
    const { apis, ingestKey } = await startProduct({ ...options, environment: 'production' as const }, cleanup);
    return { url: `${apis[0]!.url}/api/v2/alerts`, headers: jsonHeaders(ingestKey) };
  };
  const quiet = await product('isolation_quiet', hook);
  const beside = await product('isolation_beside', `http://127.0.0.1:${await freePort()}`);

  let serial = 0;
  const load = async ({ url, headers }: typeof quiet, length: number) => {
    latencies.length = 0;
    await paced({ perSecond: PER_SECOND, count: PER_SECOND * length }, async (index) => {
      const labels = {
        alertname: 'Isolation',
        for: RECEIVERS[index % RECEIVERS.length]!,
        serial: String(serial++),
      };
      if (labels.for === 'well') due.set(labels.serial, performance.now());
      await expectOk(url, { method: 'POST', headers, body: JSON.stringify([{ labels }]) });
    });
    await sleep(DRAIN_MS);
    const missing = due.size;
    due.clear();
    return { p99: percentile(latencies, 0.99), missing };
  };

  for (const each of [quiet, beside]) await load(each, 2);
  const alone: number[] = [];
  const together: number[] = [];
  let missing = 0;
  // In turn, so that whatever else the machine does meets both.
  for (let round = 0; round < 3; round++) {
    for (const [side, figures] of round % 2
      ? ([
          [beside, together],
          [quiet, alone],
        ] as const)
      : ([
          [quiet, alone],
          [beside, together],
        ] as const)) {
      sick = side === beside;
      const result = await load(side, seconds);
      figures.push(result.p99);
      missing += result.missing;
    }
  }
  const [without, figure] = [median(alone), median(together)];
  const ratio = figure / without;
  return [
    {
      name: 'POST to webhook beside receivers that hang, fail and refuse, p99',
      unit: 'ms',
      eyrie: figure,
      ratio,
      target: `≤ ${AT_MOST}× of without`,
      passed: missing === 0 && ratio <= AT_MOST,
      remark: `without ${without.toFixed(1)} ms${missing > 0 ? `, ${missing} missing` : ''}`,
    },
  ];
}
