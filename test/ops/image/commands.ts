/** What the image's commands do, on a read-only root and without any capability. */
import { setTimeout as sleep } from 'node:timers/promises';
import { dockerOrThrow } from '../../harness/docker.ts';
import { type Cleanup, openFolder } from '../../harness/processes.ts';
import { rm } from 'node:fs/promises';
import type { CheckResult } from '../checks.ts';
import { check, same } from './check.ts';
import { type Container, Surroundings } from './container.ts';
import type { Built } from './contents.ts';

/** Above what the apps allow themselves (SHUTDOWN_TIMEOUT). */
const GRACE_SECONDS = 35;
const PROBE_LIMIT_MS = 3_000;
/** Ends an app when all of it is loaded. */
const UNBOUND = { PORT: 'eighty', WORKER_PORT: 'eighty' };
/** Node tells, on stderr. */
const TELL_CACHE = { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' };

export async function commands(
  built: Omit<Built, 'developmentTag' | 'workspace'>,
  cleanup: Cleanup,
): Promise<CheckResult[]> {
  const folder = await openFolder('image-files');
  cleanup.add('its files', () => rm(folder, { recursive: true, force: true }));
  const around = await Surroundings.make(built.tag, folder, cleanup);

  const once = [
    await check('K1: `eyrie version` says what was built', async () => {
      const { stdout } = await around.run(['version']);
      const wanted = [built.version, built.gitSha, built.buildTime];
      return wanted.filter((part) => !stdout.includes(part)).map((part) => `${part} is missing in ${stdout}`);
    }),
    await check('K1: a faulty setting ends it with status 78, and a line says which', async () => {
      const { status, stdout, stderr } = await around.run(['api'], UNBOUND);
      return [...same('the status', status, 78), ...(/\bPORT: wanted/.test(stdout + stderr) ? [] : [stdout + stderr])];
    }),
    await check('K1: V8 takes what it loads from what was compiled as the image was built', async () => {
      const told = await Promise.all(['api', 'worker'].map((app) => around.run([app], { ...UNBOUND, ...TELL_CACHE })));
      return told.flatMap(({ stderr }, index) => {
        const missed =
          stderr.match(/for (?:ESM|CommonJS) \S+ was rejected|^.*\breading cache\b(?!.*\bsuccess\b).*$/gm) ?? [];
        const taken = stderr.match(/\S+\/bundle\/chunks\/\S+ was accepted/g) ?? [];
        return [...missed, ...(taken.length < 5 ? [`app ${index}: only ${taken.length} chunks are`] : [])];
      });
    }),
    await check('K1: migrates a database, and again without harm', async () => {
      const [first, second] = [await around.run(['migrate']), await around.run(['migrate'])];
      return [
        ...same('the first status', first.status, 0),
        ...same('the second status', second.status, 0),
        ...(first.stdout.includes('applied') ? [] : [first.stdout + first.stderr]),
        ...(second.stdout.includes('up to date') ? [] : [second.stdout + second.stderr]),
      ];
    }),
    await check('K1: administers: keys, people, settings, configuration', async () => {
      const commands = [
        ['keys', 'list'],
        ['admin', 'list'],
        ['config'],
        ['check-config', '/etc/eyrie/alertmanager.yml'],
      ];
      const results = await Promise.all(commands.map((command) => around.run(command)));
      return results.flatMap(({ status, stdout, stderr }, index) =>
        status === 0 ? [] : [`${commands[index]!.join(' ')} ended with ${status}: ${stdout}${stderr}`],
      );
    }),
    await check('K1: runs any other command as it stands', async () => {
      const { stdout } = await around.run(['sh', '-c', 'id -u; id -g']);
      return same('the user', stdout.trim().split('\n'), ['1000', '1000']);
    }),
  ];

  // Traced, so that what only tracing loads is loaded too, over both protocols.
  const collector = { TRACING_ENABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317' };
  const api = await around.start([], { ...collector, TRACE_PROTOCOL: 'grpc' });
  const worker = await around.start(['worker'], { ...collector, TRACE_PROTOCOL: 'http' });
  return [
    ...once,
    await check('K1: api and worker become healthy by their own check', async () => {
      await Promise.all([api.healthy(), worker.healthy()]);
    }),
    await check('K1: tini is PID 1', async () => {
      const names = await Promise.all([api, worker].map((each) => each.exec('cat', '/proc/1/comm')));
      return names.flatMap(({ stdout }) => same('PID 1', stdout.trim(), 'tini'));
    }),
    await check('K1: the api tells version and commit, in its information and its metrics', () =>
      tellsBuild(api, around, built),
    ),
    await check('K1: the description of the API is complete', () => servesDocs(api)),
    await check('K1: the health check fails for what does not answer, in less than three seconds', async () => [
      ...(await probe(api, 0)),
      ...(await probe(worker, 0)),
      ...(await probe(api, 1, 'worker')), // it does not run there
      ...(await whileHanging(worker, () => probe(worker, 1))),
    ]),
    await check('K1: no secret in what the engine tells of the containers', async () => {
      const told = await dockerOrThrow(['inspect', api.id, worker.id]);
      return [around.operatorKey, around.databasePassword]
        .filter((each) => told.includes(each))
        .map(() => 'there is one');
    }),
    await check('K1: SIGTERM drains api and worker, which end with status 0', async () => {
      const statuses = await Promise.all([api.stop(GRACE_SECONDS), worker.stop(GRACE_SECONDS)]);
      return [
        ...same('the statuses', statuses, [0, 0]),
        ...((await api.logs()).includes('draining') ? [] : ['no drain']),
      ];
    }),
  ];
}

async function tellsBuild(
  api: Container,
  around: Surroundings,
  built: { version: string; gitSha: string; buildTime: string },
) {
  const headers = { authorization: `Bearer ${around.operatorKey}` };
  const answer = await fetch(`${await api.url(3000)}/monitoring/info`, { headers });
  const { version, gitSha, buildTime } = (await answer.json()) as Record<string, string>;
  const metrics = await (await fetch(`${await api.url(9464)}/metrics`)).text();
  const line = /^app_info\{.*$/m.exec(metrics)?.[0] ?? 'no app_info';
  const labels = [`version="${built.version}"`, `git_sha="${built.gitSha}"`, 'environment="production"'];
  return [
    ...same('/monitoring/info', [version, gitSha, buildTime], [built.version, built.gitSha, built.buildTime]),
    ...labels.filter((label) => !line.includes(label)).map((label) => `${label} is missing in ${line}`),
  ];
}

/** The page and all that it loads. */
async function servesDocs(api: Container): Promise<string[]> {
  const page = new URL(`${await api.url(3000)}/docs`);
  const html = await (await fetch(page)).text();
  const parts = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => new URL(path!, page));
  const faults = parts.length < 4 ? [`it names only ${parts.join(', ')}`] : [];
  for (const part of parts) {
    const { status } = await fetch(part);
    faults.push(...same(`the status of ${part.pathname}`, status, 200));
  }
  // Operations are called by their controllers, whose names the bundle has to leave alone.
  const description = await (await fetch(new URL('/docs-json', page))).text();
  const names = [...description.matchAll(/"operationId":"(\w+)"/g)].map(([, name]) => name!);
  const strange = names.filter((name) => !/^[A-Z][A-Za-z]+Controller_[a-z]\w*$/.test(name));
  if (names.length === 0) faults.push('it describes no operation');
  return [...faults, ...strange.map((name) => `an operation is called ${name}`)];
}

/** Asks up to three times: on a busy machine even a shell may take seconds to start. */
async function probe(container: Container, wanted: 0 | 1, app = ''): Promise<string[]> {
  const script = `start=$(date +%s%N); status=0; eyrie healthcheck ${app} >&2 || status=$?
    echo "$status $((($(date +%s%N) - start) / 1000000))"`;
  let faults: string[] = [];
  for (let tries = 0; tries < 3; tries++) {
    const { stdout, stderr } = await container.exec('sh', '-euc', script);
    const [status, tookMs] = stdout.split(' ').map(Number);
    if (status !== wanted) return [`${container.name}: healthcheck ${app} ended with ${status}: ${stderr}`];
    if (tookMs! < PROBE_LIMIT_MS) return [];
    faults = [`${container.name}: healthcheck ${app} took ${tookMs} ms`];
  }
  return faults;
}

/** Stops the app's process, without its knowledge, while `work` runs. */
async function whileHanging<T>(container: Container, work: () => Promise<T>): Promise<T> {
  const signal = (name: string) => container.exec('sh', '-c', `kill -${name} $(cat /proc/1/task/1/children)`);
  await signal('STOP');
  await sleep(100);
  try {
    return await work();
  } finally {
    await signal('CONT');
  }
}
