/** What logins cost others: argon2id takes its time, and must not take that of the event loop. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { DatabaseServer } from '../harness/database-server.ts';
import type { Cleanup } from '../harness/processes.ts';
import { startProduct } from '../harness/product.ts';
import type { Row } from './report.ts';
import { percentile } from './statistics.ts';

const LOGINS_PER_SECOND = 20;
const OTHERS_PER_SECOND = 50;
const LIMIT_MS = 50;
const EMAIL = 'ann@example.org';
/** People, each at an address of their own: of one who logs in so often the hub would believe that somebody guesses. */
const PEOPLE = 50;
const ADMIN = fileURLToPath(new URL('../../dist/apps/api/src/admin.js', import.meta.url));

export async function runLogin(
  database: DatabaseServer,
  directory: string,
  { seconds }: { seconds: number },
  cleanup: Cleanup,
): Promise<Row[]> {
  const folder = join(directory, 'login');
  await mkdir(folder, { recursive: true });
  const alertsConfig = join(folder, 'alertmanager.yml');
  await writeFile(alertsConfig, 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n');
  const databaseUrl = await database.createDatabase('login_bench');
  const settings = { DRAIN_DELAY: '0s', RATE_LIMIT_API: 'none', RATE_LIMIT_LOGIN: 'none', TRUST_PROXY: 'loopback' };
  const { apis, operatorKey } = await startProduct(
    { name: 'login', databaseUrl, alertsConfig, directory: folder, environment: 'production', workers: 0, settings },
    cleanup,
  );
  const { url } = apis[0]!;
  const password = await createAdmin(databaseUrl, folder);
  await database.query(
    databaseUrl,
    `INSERT INTO users (email, name, role, password_hash, password_changed_at)
     SELECT number || '-' || email, name, role, password_hash, password_changed_at
     FROM users, generate_series(1, ${PEOPLE}) AS number`,
  );
  let turn = 0;
  const login = () => {
    const person = (turn++ % PEOPLE) + 1;
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': `192.0.2.${person}` };
    const body = JSON.stringify({ email: `${person}-${EMAIL}`, password });
    return expectOk(`${url}/api/auth/login`, { method: 'POST', headers, body });
  };
  const other = () =>
    expectOk(`${url}/api/v1/alerts?limit=10`, { headers: { authorization: `Bearer ${operatorKey}` } });

  await Promise.all([atRate(other, OTHERS_PER_SECOND, 2), atRate(login, 2, 2)]);
  const alone = await atRate(other, OTHERS_PER_SECOND, seconds);
  const [beside, logins] = await Promise.all([
    atRate(other, OTHERS_PER_SECOND, seconds),
    atRate(login, LOGINS_PER_SECOND, seconds),
  ]);
  const figure = percentile(beside, 0.99);
  const remark = `without logins ${percentile(alone, 0.99).toFixed(1)} ms`;
  const name = `other requests beside ${LOGINS_PER_SECOND} logins/s, p99`;
  return [
    { name, unit: 'ms', eyrie: figure, target: `≤ ${LIMIT_MS} ms`, passed: figure <= LIMIT_MS, remark },
    { name: 'these logins, p50', unit: 'ms', eyrie: percentile(logins, 0.5), target: 'all succeed', passed: true },
  ];
}

async function createAdmin(databaseUrl: string, cwd: string): Promise<string> {
  const env = { PATH: process.env.PATH, ENVIRONMENT: 'production', DATABASE_URL: databaseUrl };
  const args = [ADMIN, 'create', '--email', EMAIL, '--generate'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, cwd });
  return stdout.split('\n', 1)[0]!;
}

/** Open loop: each request is due at a fixed time whatever became of those before, and its time counts from then. */
async function atRate(ask: () => Promise<void>, perSecond: number, seconds: number): Promise<number[]> {
  const started = performance.now() + 20;
  const answers: Promise<number>[] = [];
  for (let sent = 0; sent < perSecond * seconds; sent++) {
    const due = started + (sent * 1_000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    answers.push(ask().then(() => performance.now() - due));
  }
  return Promise.all(answers);
}

async function expectOk(url: string, init: RequestInit): Promise<void> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`);
}
