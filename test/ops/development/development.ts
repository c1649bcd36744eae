/** What contributors type: one app alone under Nest's command line, and all of it with every edit live. */
import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cleanup, freePort, openFolder, Program } from '../../harness/processes.ts';
import type { CheckResult } from '../checks.ts';
import { copyWorkspace } from '../workspace.ts';

/** For what has to be compiled first. */
const START_LIMIT_MS = 120_000;
const RELOAD_LIMIT_MS = 60_000;
/** Something of a library that shows outside. */
const EDITED = {
  file: 'libs/server/src/shed-load.ts',
  before: 'Requests that wait until the event loop has time for them.',
  after: 'Requests that wait, edited while the app runs.',
};

interface Place {
  workspace: string;
  apiUrl: string;
  workerUrl: string;
  env: Record<string, string>;
}

export async function development(cleanup: Cleanup): Promise<CheckResult[]> {
  const folder = await openFolder('development');
  cleanup.add('its folder', () => rm(folder, { recursive: true }));
  const place = await openPlace(copyWorkspace(join(folder, 'workspace')));
  return [
    {
      name: 'nest start brings the embedded database, nest start worker adopts it',
      faults: await alone(place, cleanup),
    },
    { name: 'npm run dev: an edit of a library is live', faults: await live(place, cleanup) },
  ];
}

async function openPlace(workspace: string): Promise<Place> {
  const [port, workerPort, receiverPort] = [await freePort(), await freePort(), await freePort()].map(String);
  return {
    workspace,
    apiUrl: `http://127.0.0.1:${port}`,
    workerUrl: `http://127.0.0.1:${workerPort}`,
    env: {
      ...{ PORT: port!, WORKER_PORT: workerPort!, LOCAL_RECEIVER_PORT: receiverPort! },
      ...{ DRAIN_DELAY: '0s', LOG_FORMAT: 'json' },
    },
  };
}

function program(place: Place, name: string, command: string, args: string[], url: string, cleanup: Cleanup): Program {
  const { workspace, env } = place;
  const readyUrl = `${url}/health/ready`;
  const made = new Program({
    name,
    command,
    args,
    cwd: workspace,
    env,
    logDirectory: workspace,
    readyUrl,
    leadsGroup: true,
  });
  cleanup.add(name, () => made.interrupt());
  return made;
}

async function alone(place: Place, cleanup: Cleanup): Promise<string[]> {
  const faults: string[] = [];
  const api = program(place, 'nest-start', 'npx', ['nest', 'start'], place.apiUrl, cleanup);
  const worker = program(place, 'nest-start-worker', 'npx', ['nest', 'start', 'worker'], place.workerUrl, cleanup);
  await api.start(START_LIMIT_MS);
  await worker.start(START_LIMIT_MS);
  await worker.interrupt();
  if (!(await answers(`${place.apiUrl}/health/ready`))) faults.push(`the api went with the worker\n${api.logTail()}`);
  await api.interrupt();
  for (const url of [place.apiUrl, place.workerUrl]) {
    if (await answers(`${url}/health/live`)) faults.push(`${url} still answers after Ctrl-C`);
  }
  return faults;
}

async function live(place: Place, cleanup: Cleanup): Promise<string[]> {
  const faults: string[] = [];
  const dev = program(place, 'dev', 'npm', ['run', 'dev'], place.workerUrl, cleanup);
  await dev.start(START_LIMIT_MS);
  await dev.ready(START_LIMIT_MS);
  const shows = async (text: string) => (await body(`${place.apiUrl}/metrics`)).includes(text);
  if (!(await until(() => shows(EDITED.before), START_LIMIT_MS))) faults.push(`the api is not there\n${dev.logTail()}`);
  const file = join(place.workspace, EDITED.file);
  writeFileSync(file, readFileSync(file, 'utf8').replace(EDITED.before, EDITED.after));
  if (!(await until(() => shows(EDITED.after), RELOAD_LIMIT_MS))) faults.push(`the edit is not live\n${dev.logTail()}`);
  if (!(await until(() => answers(`${place.workerUrl}/health/ready`), RELOAD_LIMIT_MS)))
    faults.push(`the worker did not come back\n${dev.logTail()}`);
  await dev.interrupt(30_000);
  if (!readFileSync(dev.logFile, 'utf8').includes('Stopped.')) faults.push(`it did not stop cleanly\n${dev.logTail()}`);
  return faults;
}

async function until(isSo: () => Promise<boolean>, limitMs: number): Promise<boolean> {
  for (const deadline = performance.now() + limitMs; performance.now() < deadline; await sleep(200)) {
    if (await isSo()) return true;
  }
  return false;
}

async function body(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  return (await answer?.text().catch(() => '')) ?? '';
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  return answer?.ok === true;
}
