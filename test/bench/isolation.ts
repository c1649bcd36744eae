/** What a receiver that hangs, one that fails and one that refuses cost the others: they share a worker, and nothing else. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseServer } from '../harness/database-server.ts';
import { type Cleanup, freePort, withCleanup } from '../harness/processes.ts';
import { startProduct } from '../harness/product.ts';
import { type Fate, takeWebhooks } from './hooks.ts';
import { expectOk, jsonHeaders, paced } from './paced.ts';
import type { Row } from './report.ts';
import { median, percentile } from './statistics.ts';

const AT_MOST = 1.5;
const ROUNDS = 3;
const PER_SECOND = 80;
const WARM_UP_SECONDS = 3;
const DRAIN_MS = 3_000;
/** Every other alert is for a receiver that is well. */
const RECEIVERS = ['well', 'hangs', 'well', 'fails', 'well', 'refuses'];
const FATES: Readonly<Record<string, Fate>> = { '/sick/hangs': 'never', '/sick/fails': 500 };

/** Each alert its own group, told at once. */
function configFor(urls: Readonly<Record<string, string>>): string {
  const names = Object.keys(urls);
  const routes = names.map((name) => `    - { receiver: ${name}, matchers: ['for="${name}"'] }`);
  const receivers = names.map(
    (name) => `  - { name: ${name}, webhook_configs: [{ url: '${urls[name]}/${name}', send_resolved: false }] }`,
  );
  return `route:
  receiver: well
  group_by: ['...']
  group_wait: 0s
  group_interval: 30m
  repeat_interval: 4h
  routes:
${routes.join('\n')}
receivers:
${receivers.join('\n')}
`;
}

export async function runIsolation(
  database: DatabaseServer,
  directory: string,
  { seconds }: { seconds: number },
  cleanup: Cleanup,
): Promise<Row[]> {
  /** Of what the receivers that are well are still to be told: when it was sent. */
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  const hook = await takeWebhooks(
    {
      fate: (path) => FATES[path] ?? 200,
      take(_path, alerts) {
        for (const { labels } of alerts) {
          const since = sentAt.get(labels.serial!);
          if (since !== undefined) latencies.push(performance.now() - since);
          sentAt.delete(labels.serial!);
        }
      },
    },
    cleanup,
  );

  let runs = 0;
  /** A hub of its own, so that nothing that is still to be tried again by one meets another. */
  const measure = async (side: 'fit' | 'sick', own: Cleanup) => {
    const name = `isolation_${side}_${runs++}`;
    const folder = join(directory, name);
    await mkdir(folder, { recursive: true });
    const alertsConfig = join(folder, 'alertmanager.yml');
    const url = `${hook}/${side}`;
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const refuses = side === 'sick' ? nobody : url;
    await writeFile(alertsConfig, configFor({ well: url, hangs: url, fails: url, refuses }));
    const databaseUrl = await database.createDatabase(name);
    const settings = { DRAIN_DELAY: '0s', RATE_LIMIT_API: 'none', NOTIFY_ALLOW_PRIVATE: '127.0.0.0/8' };
    const { apis, ingestKey } = await startProduct(
      { name, databaseUrl, alertsConfig, directory: folder, environment: 'production', settings },
      own,
    );
    const request = { method: 'POST', headers: jsonHeaders(ingestKey) };
    const load = (length: number) =>
      paced({ perSecond: PER_SECOND, count: PER_SECOND * length }, (index) => {
        const labels = {
          alertname: 'Isolation',
          for: RECEIVERS[index % RECEIVERS.length]!,
          serial: `${length}-${index}`,
        };
        if (labels.for === 'well') sentAt.set(labels.serial, performance.now());
        return expectOk(`${apis[0]!.url}/api/v2/alerts`, { ...request, body: JSON.stringify([{ labels }]) });
      });
    await load(WARM_UP_SECONDS);
    latencies.length = 0;
    await load(seconds);
    await sleep(DRAIN_MS);
    const missing = sentAt.size;
    sentAt.clear();
    return { p99: percentile(latencies, 0.99), missing };
  };

  const p99s: Record<'fit' | 'sick', number[]> = { fit: [], sick: [] };
  let missing = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of ['fit', 'sick'] as const) {
      const result = await withCleanup((own) => measure(side, own));
      p99s[side].push(result.p99);
      missing += result.missing;
    }
  }
  const [without, figure] = [median(p99s.fit), median(p99s.sick)];
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
