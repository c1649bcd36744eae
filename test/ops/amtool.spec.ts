import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EncryptionKeys } from 'eyrie/secrets';
import { guideInPractice } from './amtool-guide.js';
import { amtoolAgainstTheHub } from './amtool-hub.js';
import {
  changeSecrets,
  containsTime,
  loadAlertsConfig,
  parseAlertsConfig,
  RECEIVER_SECRETS,
} from '../../libs/alerts/src/config/index.js';

/*
 * The golden files of test/fixtures/alertmanager against the real Alertmanager and amtool, which run in one container of
 * its image: what the unit specs take for Alertmanager's behaviour is what it does. Needs a Docker engine.
 */
const IMAGE = 'prom/alertmanager:v0.33.1';
const FIXTURES = fileURLToPath(new URL('../fixtures/alertmanager/', import.meta.url));
const run = promisify(execFile);

interface Notice {
  groupKey: string;
  alerts: { labels: Record<string, string>; fingerprint: string }[];
}

let folder: string;
let container: string;
let url: string;
let receiver: Server;
const notices: Notice[] = [];

const golden = async <T>(name: string) =>
  JSON.parse(await readFile(join(FIXTURES, `${name}.golden.json`), 'utf8')) as T[];

/** Standard output of amtool in the container, or undefined where it refuses. */
async function amtool(...args: string[]): Promise<string | undefined> {
  try {
    return (await run('docker', ['exec', container, 'amtool', ...args])).stdout;
  } catch {
    return undefined;
  }
}

/** One interval for each corner that only a clock can show; all are compared with the time of the run. */
const INTERVALS = [
  ...[
    '{}',
    '{weekdays: []}',
    '{days_of_month: []}',
    "{weekdays: ['monday:friday']}",
    "{weekdays: ['saturday', 'sunday']}",
  ],
  ...[
    "{days_of_month: ['1:15']}",
    "{days_of_month: ['16:-1']}",
    "{days_of_month: ['-31:-16']}",
    "{days_of_month: ['20:31', '-31:-12']}",
  ],
  ...[
    "{months: ['january:june']}",
    "{months: ['7:12']}",
    "{months: ['13']}",
    "{years: ['2000:2100']}",
    "{years: ['1999']}",
  ],
  ...['UTC', 'Asia/Kolkata', 'Pacific/Apia', 'America/New_York', 'Australia/Lord_Howe', 'Europe/Berlin', ''].flatMap(
    (zone) =>
      Array.from({ length: 4 }, (_, quarter) => {
        const [from, to] = [quarter * 6, quarter * 6 + 6].map((hour) => `${String(hour).padStart(2, '0')}:00`);
        return `{location: '${zone}', times: [{start_time: '${from}', end_time: '${to}'}]}`;
      }),
  ),
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyrie-amtool-'));
  await mkdir(join(folder, 'refused'));
  receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      notices.push(JSON.parse(body) as Notice);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((ready) => receiver.once('listening', ready));
  const { port } = receiver.address() as AddressInfo;
  await writeFile(join(folder, 'running.yml'), running(port));

  const listen = createServer().listen(0, '127.0.0.1');
  await new Promise((ready) => listen.once('listening', ready));
  url = `http://127.0.0.1:${(listen.address() as AddressInfo).port}`;
  await new Promise((closed) => listen.close(closed));
  const mounts = [folder, FIXTURES].flatMap((path) => ['-v', `${path}:${path}:ro`]);
  const flags = [
    `--config.file=${folder}/running.yml`,
    '--storage.path=/tmp/alertmanager',
    '--cluster.listen-address=',
  ];
  const started = await run('docker', [
    ...['run', '-d', '--network', 'host', '--user', '0', ...mounts, IMAGE, ...flags],
    `--web.listen-address=${url.slice('http://'.length)}`,
  ]);
  container = started.stdout.trim();
  for (let tries = 0; !(await fetch(`${url}/-/ready`).catch(() => undefined))?.ok; tries++) {
    if (tries === 100) throw new Error((await run('docker', ['logs', container])).stderr);
    await sleep(100);
  }
}, 60_000);

afterAll(async () => {
  if (container) await run('docker', ['rm', '-f', container]);
  receiver?.close();
  receiver?.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
});

function running(port: number): string {
  const names = INTERVALS.map((_, index) => `t${index}`);
  return `
route:
  receiver: hook
  group_by: ['...']
  group_wait: 0s
  group_interval: 1s
  routes:
${names.map((name) => `    - { matchers: ['clock="${name}"'], receiver: nobody, mute_time_intervals: [${name}] }`).join('\n')}
receivers: [{ name: nobody }, { name: hook, webhook_configs: [{ url: 'http://127.0.0.1:${port}/' }] }]
time_intervals:
${names.map((name, index) => `  - { name: ${name}, time_intervals: [${INTERVALS[index]}] }`).join('\n')}
`;
}

async function post(alerts: readonly { labels: Record<string, string> }[]): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body: JSON.stringify(alerts) });
  expect(answer.status).toBe(200);
}

describe('amtool', () => {
  it('H4: accepts our samples, and what we show of them in their place', async () => {
    for (const name of (await readdir(FIXTURES)).filter((each) => each.endsWith('.yml'))) {
      const shown = join(folder, `shown-${name}`);
      await writeFile(shown, (await loadAlertsConfig(join(FIXTURES, name))).original);
      expect(await amtool('check-config', join(FIXTURES, name), shown)).toContain('SUCCESS');
      const routes = (path: string) => amtool('config', 'routes', 'show', `--config.file=${path}`);
      expect(await routes(shown)).toBe(await routes(join(FIXTURES, name)));
    }
  }, 60_000);

  it('I4: accepts a file with encrypted secrets, URLs too', async () => {
    const keys = EncryptionKeys.parse(EncryptionKeys.generate('spec'));
    const sealed = (value: string) => {
      const encrypted = keys.encrypt(value, RECEIVER_SECRETS);
      return value.startsWith('http') ? `https://encrypted.invalid/${encrypted}` : encrypted;
    };
    for (const name of (await readdir(FIXTURES)).filter((each) => each.endsWith('.yml'))) {
      const path = join(folder, `encrypted-${name}`);
      await writeFile(path, changeSecrets(await readFile(join(FIXTURES, name), 'utf8'), sealed));
      expect([name, await amtool('check-config', path)]).toEqual([name, expect.stringContaining('SUCCESS')]);
    }
    const url = keys.encrypt('http://hook.test/', RECEIVER_SECRETS);
    await writeFile(
      join(folder, 'bare.yml'),
      `route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: '${url}'}]}]`,
    );
    expect(await amtool('check-config', join(folder, 'bare.yml'))).toBeUndefined();
  }, 60_000);

  it('H4: refuses what we say it refuses, and accepts the rest', async () => {
    for (const name of await readdir(join(FIXTURES, 'refused'))) {
      const path = join(FIXTURES, 'refused', name);
      const accepts = (await readFile(path, 'utf8')).includes('#: Alertmanager accepts it');
      const answer = await amtool('check-config', path);
      expect({ name, accepts: answer !== undefined }).toEqual({ name, accepts });
    }
  }, 60_000);

  it('H4: reads matchers as the golden file says', async () => {
    const cases = await golden<{ input: string; printed: string | null }>('matchers');
    const file = (name: string, inputs: readonly string[]) =>
      writeFile(
        join(folder, `${name}.yml`),
        JSON.stringify({
          route: { receiver: 'a', routes: inputs.map((input) => ({ receiver: 'b', matchers: [input] })) },
          receivers: [{ name: 'a' }, { name: 'b' }],
        }),
      );
    const readable = cases.filter(({ printed }) => printed !== null);
    await file(
      'readable',
      readable.map(({ input }) => input),
    );
    const tree = (await amtool('config', 'routes', 'show', `--config.file=${folder}/readable.yml`))!;
    const shown = [...tree.slice(tree.indexOf('receiver: a')).matchAll(/[├└]── (.*?) {2}receiver: b$/gmsu)].map(
      ([, text]) => text,
    );
    expect(shown).toEqual(readable.map(({ printed }) => (printed === '{}' ? 'default-route' : printed)));
    for (const { input } of cases.filter(({ printed }) => printed === null)) {
      await file('refused', [input]);
      expect({ input, answer: await amtool('check-config', `${folder}/refused.yml`) }).toEqual({
        input,
        answer: undefined,
      });
    }
  }, 120_000);

  it('H4: routes as the golden file says', async () => {
    for (const { config, labels, receivers } of await golden<{ config: string; labels: object; receivers: string[] }>(
      'routes',
    )) {
      const file = `--config.file=${join(FIXTURES, config)}`;
      const matchers = Object.entries(labels).map(([name, value]) => `"${name}"="${value}"`);
      const answer = await amtool('config', 'routes', 'test', file, ...matchers);
      expect({ config, labels, receivers: answer?.trim().split(',') }).toEqual({ config, labels, receivers });
    }
  }, 60_000);
});

describe('Alertmanager', () => {
  it('H3: gives the fingerprints and group keys of the golden file', async () => {
    const cases = await golden<{ labels: Record<string, string>; fingerprint: string; groupKey: string }>(
      'fingerprints',
    );
    await post(cases);
    for (let tries = 0; notices.length < cases.length && tries < 100; tries++) await sleep(100);
    const seen = notices.map(({ groupKey, alerts }) => ({ ...alerts[0]!, groupKey }));
    for (const expected of cases) {
      expect(seen.find(({ fingerprint }) => fingerprint === expected.fingerprint)).toMatchObject(expected);
    }
  }, 60_000);

  it('H4: mutes at this moment the routes that our time intervals mute', async () => {
    const { timeIntervals } = parseAlertsConfig(running(1), { baseDirectory: folder });
    const minute = () => Math.floor(Date.now() / 60_000);
    // A border between two readings of the clock would be nobody's fault: such a run is repeated.
    for (let before = -1; before !== minute();) {
      before = minute();
      await post([...timeIntervals.keys()].map((clock) => ({ labels: { clock, run: String(before) } })));
      await sleep(3000);
      const groups = (await (await fetch(`${url}/api/v2/alerts/groups?filter=run="${before}"`)).json()) as {
        alerts: { labels: { clock: string }; status: { mutedBy: string[] } }[];
      }[];
      if (before !== minute()) continue;
      const theirs = groups.flatMap(({ alerts }) => alerts).filter(({ status }) => status.mutedBy.length > 0);
      const ours = [...timeIntervals].filter(([, [interval]]) => containsTime(interval!, new Date()));
      expect(theirs.map(({ labels }) => labels.clock).sort()).toEqual(ours.map(([name]) => name).sort());
      expect(groups.length).toBe(timeIntervals.size);
      expect(ours.length).toBeGreaterThan(10);
    }
  }, 180_000);
});

amtoolAgainstTheHub(IMAGE);
guideInPractice(IMAGE);
