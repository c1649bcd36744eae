/** What logins cost others: argon2id takes its time, and must not take that of the event loop. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { DatabaseServer } from '../harness/database-server.ts';
import type { Cleanup } from '../harness/processes.ts';
import { startProduct } from '../harness/product.ts';
import { expectOk, paced } from './paced.ts';
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

  const others = (length: number) => paced({ perSecond: OTHERS_PER_SECOND, count: OTHERS_PER_SECOND * length }, other);
  const logIn = (perSecond: number, length: number) => paced({ perSecond, count: perSecond * length }, login);
  await Promise.all([others(2), logIn(2, 2)]);
  const alone = await others(seconds);
  const [beside, logins] = await Promise.all([others(seconds), logIn(LOGINS_PER_SECOND, seconds)]);
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
