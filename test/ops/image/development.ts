/** The development compose file: it comes up, answers through Nginx, makes an edit live, and drains. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Compose, removeImage } from '../../harness/docker.ts';
import { eventually } from '../../harness/eventually.ts';
import { type Cleanup, freePort } from '../../harness/processes.ts';
import type { CheckResult } from '../checks.ts';
import { check, same } from './check.ts';

const UP_LIMIT_MS = 700_000;
/** On a machine so slow that all takes longer to come up, as long as that: to start anew must never be quicker. */
const EDIT_LIMIT_MS = 60_000;
const INGEST_KEY = 'development-ingest-key';

/** A file of a library, which both apps load, and an edit after which a new path answers. */
const EDITED = {
  file: 'libs/health/src/health.controller.ts',
  from: "'health/startup'",
  to: "['health/startup', 'health/edited']",
};

interface Config {
  services: Record<string, { ports?: { host_ip?: string; published?: string }[] }>;
}

export async function development(workspace: string, cleanup: Cleanup): Promise<CheckResult[]> {
  const names = [
    'EYRIE_PORT',
    'EYRIE_API_PORT',
    'EYRIE_WORKER_PORT',
    'EYRIE_POSTGRES_PORT',
    'EYRIE_REDIS_PORT',
  ] as const;
  const ports = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, String(await freePort())])),
  ) as Record<(typeof names)[number], string>;
  const project = `eyrie-image-${process.pid}`;
  const file = join(workspace, 'docker-compose.yml');
  const stack = new Compose({ project, files: [file], env: ports });
  const url = (name: (typeof names)[number], path: string) => `http://127.0.0.1:${ports[name]}${path}`;

  const published = await check('K2: what it publishes, it publishes on loopback alone', async () => {
    const { services } = JSON.parse(await stack.runOrThrow(['config', '--format', 'json'])) as Config;
    const all = Object.entries(services).flatMap(([name, { ports = [] }]) => ports.map((each) => ({ name, ...each })));
    const open = all
      .filter(({ host_ip }) => host_ip !== '127.0.0.1')
      .map(({ name, published: port }) => `${name}: ${port}`);
    return all.length < names.length ? [`only ${all.length} ports are published`] : open;
  });

  cleanup.add('the image for development', () => removeImage(`${project}-app`));
  cleanup.add('the development stack', () => stack.down());
  const started = Date.now();
  const up = await check('K2: `docker compose up` ends healthy', async () => {
    await stack.up([], { build: true, waitMs: UP_LIMIT_MS }).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${(await stack.logs('app')).slice(-3_000)}`);
    });
  });
  const upMs = Date.now() - started;
  if (up.faults.length > 0) return [published, up];

  const throughNginx = await check('K2: answers through Nginx, and shows what it tells', async () => {
    const ready = await fetch(url('EYRIE_PORT', '/health/ready'));
    const raised = await fetch(url('EYRIE_PORT', '/api/v1/alerts'), {
      method: 'POST',
      headers: { authorization: `Bearer ${INGEST_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'ShownToTheDeveloper', severity: 'high', message: 'drill' }),
    });
    await eventually(async () => (await stack.logs('app')).includes('ShownToTheDeveloper'), 20_000);
    return [
      ...same('/health/ready', ready.status, 200),
      ...same('the class of the POST', Math.floor(raised.status / 100), 2),
    ];
  });

  const reload = await check('K2: an edit of a source is live by itself, in api and worker', async () => {
    const path = join(workspace, EDITED.file);
    const source = await readFile(path, 'utf8');
    const edited = source.replace(EDITED.from, EDITED.to);
    if (edited === source) throw new Error(`${EDITED.file} has no ${EDITED.from} any more`);
    const before = await fetch(url('EYRIE_PORT', '/health/edited'));
    await writeFile(path, edited);
    const editedAt = Date.now();
    const limitMs = Math.max(EDIT_LIMIT_MS, upMs);
    const answers = (name: (typeof names)[number]) =>
      eventually(async () => (await fetch(url(name, '/health/edited'))).status === 200, limitMs);
    const times = (['EYRIE_PORT', 'EYRIE_WORKER_PORT'] as const).map((name) =>
      answers(name).then(() => Date.now() - editedAt),
    );
    const [api, worker] = await Promise.all(times);
    process.stdout.write(
      `development: up in ${seconds(upMs)}, an edit live in api ${seconds(api!)}, worker ${seconds(worker!)}\n`,
    );
    return same('the status before the edit', before.status, 404);
  });

  const drains = await check('K2: the stop that Ctrl-C asks for drains the apps', async () => {
    await stack.runOrThrow(['stop'], { timeoutMs: 120_000 });
    const [app] = await stack.ps('app');
    const log = await stack.logs('app');
    return [...same('the exit status', app?.ExitCode, 0), ...(/Stopped\.\s*$/.test(log) ? [] : [log.slice(-1_000)])];
  });
  return [published, up, throughNginx, reload, drains];
}

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
