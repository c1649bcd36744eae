/** Many distinct alerts within a minute, then all of them resolved, through silences and inhibition. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseServer } from '../harness/database-server.ts';
import type { Cleanup } from '../harness/processes.ts';
import { startProduct } from '../harness/product.ts';
import { memoryMiB } from './footprint.ts';
import { takeWebhooks } from './hooks.ts';
import { expectOk, jsonHeaders, paced } from './paced.ts';
import type { Row } from './report.ts';
import { percentile } from './statistics.ts';

const ALERTS_PER_SECOND = 20_000 / 60;
/** What Prometheus puts into a request. */
const BATCH = 64;
const READS_PER_SECOND = 20;
const SILENCES = 50;
const INHIBIT_RULES = 20;
const ZONES = 2 * INHIBIT_RULES;
const SEVERITIES = ['low', 'medium', 'high', 'critical'];
const LIMIT_MS = 250;
/** What the containers of deploy/prod are granted, and the heap that Node gives itself there. */
const MEMORY_LIMIT_MIB = 512;
const HEAP = '--max-old-space-size=256';
const TOLD_WITHIN_MS = 60_000;

const CONFIG = (hook: string) => `route:
  receiver: hook
  group_by: [alertname, cluster]
  group_wait: 1s
  group_interval: 5s
  repeat_interval: 4h
receivers:
  - name: hook
    webhook_configs: [{ url: '${hook}/' }]
inhibit_rules:
${Array.from(
  { length: INHIBIT_RULES },
  (_, zone) =>
    `  - { source_matchers: ['alertname="ZoneDown"', 'zone="z${zone}"'], target_matchers: ['severity="low"', 'zone="z${zone}"'] }`,
).join('\n')}
`;

type Labels = Record<string, string>;

function labelsOf(index: number): Labels {
  return {
    alertname: `Storm${index % 100}`,
    cluster: `c${Math.floor(index / 100) % 5}`,
    instance: `10.0.${index >> 8}.${index & 255}:9100`,
    severity: SEVERITIES[Math.floor(index / 7) % SEVERITIES.length]!,
    zone: `z${Math.floor(index / 500) % ZONES}`,
    serial: String(index),
  };
}

/** Silence `n` holds for Storm<n> in the first cluster; the first zones are down, which says enough of what is low there. */
function isTold({ alertname, cluster, severity, zone }: Labels): boolean {
  const silenced = cluster === 'c0' && Number(alertname!.slice('Storm'.length)) < SILENCES;
  const inhibited = severity === 'low' && Number(zone!.slice(1)) < INHIBIT_RULES;
  return !silenced && !inhibited;
}

export async function runStorm(
  database: DatabaseServer,
  directory: string,
  { seconds }: { seconds: number },
  cleanup: Cleanup,
): Promise<Row[]> {
  const told = { firing: new Set<string>(), resolved: new Set<string>() };
  const hook = await takeWebhooks(
    {
      take(_path, alerts) {
        for (const { status, labels } of alerts) if (labels.serial) told[status].add(labels.serial);
      },
    },
    cleanup,
  );
  const folder = join(directory, 'storm');
  await mkdir(folder, { recursive: true });
  const alertsConfig = join(folder, 'alertmanager.yml');
  await writeFile(alertsConfig, CONFIG(hook));
  const databaseUrl = await database.createDatabase('storm_bench');
  const settings = {
    DRAIN_DELAY: '0s',
    RATE_LIMIT_API: 'none',
    NOTIFY_ALLOW_PRIVATE: '127.0.0.0/8',
    NODE_OPTIONS: HEAP,
  };
  const { apis, workers, ingestKey, operatorKey } = await startProduct(
    { name: 'storm', databaseUrl, alertsConfig, directory: folder, environment: 'production', settings },
    cleanup,
  );
  const { url } = apis[0]!;
  const post = (path: string, key: string, body: unknown) =>
    expectOk(url + path, { method: 'POST', headers: jsonHeaders(key), body: JSON.stringify(body) });

  await silence((body) => post('/api/v2/silences', operatorKey, body));
  const zones = Array.from({ length: INHIBIT_RULES }, (_, zone) => ({
    labels: { alertname: 'ZoneDown', zone: `z${zone}` },
    endsAt: new Date(Date.now() + 3_600_000),
  }));
  await post('/api/v2/alerts', ingestKey, zones);

  const programs = { api: apis[0]!.program, worker: workers[0]!.program };
  const most = { api: 0, worker: 0 };
  const watch = setInterval(() => {
    for (const name of ['api', 'worker'] as const) most[name] = Math.max(most[name], memoryMiB(programs[name].pid!));
  }, 250);
  cleanup.add('the watch of memory', () => clearInterval(watch));

  const count = Math.round(ALERTS_PER_SECOND * seconds);
  const all = Array.from({ length: count }, (_, index) => labelsOf(index));
  const expected = all.filter(isTold).map(({ serial }) => serial!);
  const send = (end: () => Date) =>
    paced({ perSecond: ALERTS_PER_SECOND / BATCH, count: Math.ceil(count / BATCH) }, (index) =>
      post(
        '/api/v2/alerts',
        ingestKey,
        all.slice(index * BATCH, (index + 1) * BATCH).map((labels) => ({ labels, endsAt: end() })),
      ),
    );
  const reads = paced({ perSecond: READS_PER_SECOND, count: READS_PER_SECOND * seconds * 2 }, () =>
    expectOk(`${url}/api/v1/alerts?limit=20`, { headers: jsonHeaders(operatorKey) }),
  );
  const posts = await send(() => new Date(Date.now() + 3_600_000));
  await until(() => told.firing.size >= expected.length);
  posts.push(...(await send(() => new Date())));
  const answers = [...posts, ...(await reads)];
  await until(() => told.resolved.size >= expected.length);
  clearInterval(watch);

  const figure = percentile(answers, 0.99);
  const remark = faultsOf(told, expected);
  return [
    {
      name: `a storm of ${count.toLocaleString('en')} alerts in ${seconds} s, the api's p99`,
      unit: 'ms',
      eyrie: figure,
      target: `≤ ${LIMIT_MS} ms`,
      passed: figure <= LIMIT_MS && remark === undefined,
      ...(remark !== undefined && { remark }),
    },
    ...(['api', 'worker'] as const).map((name) => ({
      name: `${name}: most memory in it`,
      unit: 'MiB',
      eyrie: most[name],
      target: `≤ ${MEMORY_LIMIT_MIB} MiB`,
      passed: most[name] <= MEMORY_LIMIT_MIB,
    })),
  ];
}

async function silence(post: (body: unknown) => Promise<void>): Promise<void> {
  const [startsAt, endsAt] = [new Date(), new Date(Date.now() + 3_600_000)];
  for (let number = 0; number < SILENCES; number++) {
    const matchers = Object.entries({ alertname: `Storm${number}`, cluster: 'c0' });
    await post({
      matchers: matchers.map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
      startsAt,
      endsAt,
      createdBy: 'bench',
      comment: 'the storm',
    });
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = performance.now() + TOLD_WITHIN_MS; !holds() && performance.now() < deadline;) await sleep(100);
}

/** Who was told too little, or too much. */
function faultsOf(told: Record<'firing' | 'resolved', Set<string>>, expected: readonly string[]): string | undefined {
  const wanted = new Set(expected);
  const faults = (['firing', 'resolved'] as const).flatMap((status) => {
    const missing = wanted.difference(told[status]).size;
    const tooMany = told[status].difference(wanted).size;
    return [
      ...(missing > 0 ? [`${missing} never told as ${status}`] : []),
      ...(tooMany > 0 ? [`${tooMany} told as ${status} though silenced or inhibited`] : []),
    ];
  });
  return faults.length > 0 ? faults.join(', ') : undefined;
}
