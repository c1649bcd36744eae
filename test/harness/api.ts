import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AlertsConfigStore } from 'eyrie/alerts';
import { loadSettings } from 'eyrie/config';
import { Lifecycle } from 'eyrie/lifecycle';
import { createServer } from 'eyrie/server';
import { createApi } from '../../apps/api/src/create-api.js';
import { apiSlices } from '../../apps/api/src/settings.js';
import { workerSlices } from '../../apps/worker/src/settings.js';
import { WorkerModule } from '../../apps/worker/src/worker.module.js';
import { testDatabase } from './postgres.js';

export const keys = { ingest: 'ingest-key-of-the-specs', operator: 'operator-key-of-the-specs' };

/** A log line, as it would have been written to stdout. */
export type Line = Record<string, unknown> & { message: string };

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body, if it is JSON. */
  json: unknown;
}

export interface Ask {
  /** Default: the operator's. `null` sends none. */
  key?: string | null;
  /** Sent as JSON; a text or bytes as they are. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface TestApiOptions {
  /** The routing; default: everything to nobody. */
  config?: string;
  /** Runs a worker beside it, on the same database and configuration. */
  worker?: boolean;
  env?: Record<string, string>;
  /** Another way to the database, such as one that can be cut. */
  via?: (url: string) => string | Promise<string>;
}

export interface TestApi {
  app: NestFastifyApplication;
  worker?: NestFastifyApplication;
  url: string;
  databaseUrl: string;
  /** What api and worker have logged, from level debug. */
  lines: Line[];
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  /** Writes another routing; reloading it is the spec's business. */
  configure(yaml: string): Promise<void>;
  close(): Promise<void>;
}

const NOBODY = 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n';

/** The real api on a free port and a database of its own. */
export async function testApi(options: TestApiOptions = {}): Promise<TestApi> {
  const database = await testDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'eyrie-api-'));
  const configFile = join(directory, 'alertmanager.yml');
  await writeFile(configFile, options.config ?? NOBODY);
  const env = {
    ...{ ENVIRONMENT: 'test', LOG_LEVEL: 'debug', LOG_FORMAT: 'json', ALERTS_CONFIG: configFile },
    ...{ INGEST_KEY: keys.ingest, OPERATOR_KEY: keys.operator, OVERLOAD_DELAY: '0' },
    ...{ HEALTH_ALERTS: 'false', MEMORY_UNHEALTHY: '0' },
    ...options.env,
  };
  const lines: Line[] = [];
  const output = { write: (line: string) => void lines.push(JSON.parse(line) as Line), flushSync: () => undefined };
  const given = {
    database: {
      url: (await options.via?.(database.url)) ?? database.url,
      embedded: false,
      release: () => Promise.resolve(),
    },
    info: { version: '0.0.0', gitSha: 'abc', buildTime: '', startedAt: new Date().toISOString() },
  };
  const open: NestFastifyApplication[] = [];
  const start = async (app: NestFastifyApplication) => {
    open.unshift(app);
    await app.listen(0, '127.0.0.1');
    app.get(Lifecycle).ready();
    return app;
  };

  const createWorker = async () => {
    const read = loadSettings(workerSlices, { env, cwd: directory });
    const settings = { ...read, logging: { ...read.logging, output } };
    const configs = await AlertsConfigStore.load(settings.alerts, settings.secrets.encryptionKeys);
    return createServer(WorkerModule.forRoot({ ...given, settings, configs }), settings.server);
  };
  const createTheApi = async () => {
    const read = loadSettings(apiSlices, { env, cwd: directory });
    const settings = { ...read, logging: { ...read.logging, output } };
    const configs = await AlertsConfigStore.load(settings.alerts, settings.secrets.encryptionKeys);
    return createApi({ ...given, settings, configs });
  };

  const worker = options.worker ? await start(await createWorker()) : undefined;
  const app = await start(await createTheApi());
  const url = await app.getUrl();
  return {
    app,
    worker,
    url,
    databaseUrl: database.url,
    lines,
    ask: (method, path, what) => ask(`${url}${path}`, method, what),
    configure: (yaml) => writeFile(configFile, yaml),
    async close() {
      for (const one of open) await one.close();
      await rm(directory, { recursive: true });
      await database.drop();
    },
  };
}

async function ask(url: string, method: string, { key = keys.operator, body, headers }: Ask = {}): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text ? JSON.parse(text) : undefined,
  };
}
