import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Cleanup, freePort, Program, runToEnd } from './processes.ts';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const API = `${DIST}bundle/api.js`;
const MIGRATE = `${DIST}apps/api/src/migrate.js`;
const WORKER = `${DIST}bundle/worker.js`;

export interface ProductOptions {
  /** Distinguishes the logs of several products. */
  name: string;
  databaseUrl: string;
  /** Path of an alertmanager.yml. */
  alertsConfig: string;
  /** Working folder of the processes, and of their logs: one without a `.env`. */
  directory: string;
  environment?: 'development' | 'production';
  apis?: number;
  workers?: number;
  settings?: Readonly<Record<string, string>>;
}

export interface Product {
  apis: { url: string; program: Program }[];
  workers: { url: string; program: Program }[];
  ingestKey: string;
  operatorKey: string;
}

/** Throws a sentence when `npm run build` has not been run. */
export function requireBuild(): void {
  for (const file of [API, MIGRATE, WORKER]) {
    if (!existsSync(file)) throw new Error(`${file} is missing: run "npm run build" first`);
  }
}

/** Migrates the database and starts the built apps as processes of their own; returns when all are ready. */
export async function startProduct(options: ProductOptions, cleanup: Cleanup): Promise<Product> {
  requireBuild();
  const { name, directory } = options;
  const keys = { ingestKey: randomBytes(24).toString('base64url'), operatorKey: randomBytes(24).toString('base64url') };
  const env = {
    ENVIRONMENT: options.environment ?? 'development',
    LOG_LEVEL: 'warn',
    LOG_FORMAT: 'json',
    DATABASE_URL: options.databaseUrl,
    ALERTS_CONFIG: options.alertsConfig,
    INGEST_KEY: keys.ingestKey,
    OPERATOR_KEY: keys.operatorKey,
    HEALTH_ALERTS: 'false',
    ...options.settings,
  };
  const common = { command: process.execPath, env, cwd: directory, logDirectory: directory };
  await runToEnd({ ...common, name: `${name}-migrate`, args: [MIGRATE] });

  const app = async (kind: 'api' | 'worker', number: number) => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { port } = new URL(url);
    const program = new Program({
      ...common,
      name: `${name}-${kind}-${number}`,
      args: [kind === 'api' ? API : WORKER],
      env: { ...env, [kind === 'api' ? 'PORT' : 'WORKER_PORT']: port },
      readyUrl: `${url}/health/ready`,
    });
    cleanup.add(program.name, () => program.stop());
    await program.start();
    return { url, program };
  };
  const several = (kind: 'api' | 'worker', count = 1) =>
    Promise.all(Array.from({ length: count }, (_, index) => app(kind, index + 1)));
  return { apis: await several('api', options.apis), workers: await several('worker', options.workers), ...keys };
}
