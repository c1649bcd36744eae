import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onceInRun, runFolder } from './test-run.js';
import type { StartedServer } from './watchdog.js';

/** How each package manager installs Redis. */
const installations: readonly (readonly string[][])[] = [
  [
    ['apt-get', 'update', '-q'],
    ['apt-get', 'install', '-y', '-q', '--no-install-recommends', 'redis-server'],
  ],
  [['apk', 'add', '--no-cache', 'redis']],
  [['dnf', 'install', '-y', '-q', 'redis']],
  [['brew', 'install', '--quiet', 'redis']],
];

/** What one spec file gets of the run's Redis. */
export interface TestRedis {
  /** Names a database that no other spec file uses. */
  url: string;
  /** For what databases do not separate: channels. */
  prefix: string;
}

/** What a hook that calls {@link testRedis} should be granted: the first call may have to install Redis. */
export const REDIS_LIMIT_MS = 300_000;

/**
 * A place of its own in the Redis that all spec files of a run share; nothing in it outlives the run.
 *
 * @example
 * beforeAll(async () => { redis = await testRedis(); }, REDIS_LIMIT_MS);
 */
export async function testRedis(): Promise<TestRedis> {
  const { port } = await onceInRun('redis', start);
  const number = await ask(port, 'INCR eyrie:spec-files'); // counted in database 0, which nobody is given
  return { url: `redis://127.0.0.1:${port}/${number.slice(1)}`, prefix: `spec-${number.slice(1)}:` };
}

async function start(started: (server: StartedServer) => Promise<void>): Promise<{ port: number }> {
  const program = findProgram();
  const port = await freePort();
  const directory = join(runFolder(), 'redis');
  await mkdir(directory);
  const settings = { port, bind: '127.0.0.1', dir: directory, save: '', appendonly: 'no', databases: 4096 };
  const server = spawn(
    program,
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { detached: true, stdio: 'ignore' },
  );
  await once(server, 'spawn');
  server.unref();
  await started({ pid: server.pid!, signal: 'SIGKILL', directory });
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(20)) {
    if ((await ask(port, 'PING').catch(() => '')) === '+PONG') return { port };
    if (server.exitCode !== null) break;
  }
  throw new Error(`${program} was started on port ${port} and does not answer.`);
}

/** The program on the PATH, or as the system's package manager installs it. */
function findProgram(): string {
  const found = () => ['redis-server', 'valkey-server'].find((name) => run([name, '--version']));
  const program = found();
  if (program) return program;
  for (const commands of installations) {
    if (run([commands[0]![0]!, '--version']) && commands.every((command) => run(command))) break;
  }
  const installed = found();
  if (installed) return installed;
  throw new Error(
    'These tests need Redis: redis-server is not on the PATH, and no package manager here (apt-get, apk, dnf, brew) ' +
      'could install it. Install it, as root for instance with `apt-get install redis-server`, and start again.',
  );
}

function run([command, ...args]: string[]): boolean {
  return (
    spawnSync(command!, args, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
      .status === 0
  );
}

/** One inline command of Redis' protocol; the first line of the answer. */
async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write(`${command}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString().split('\r\n')[0]!;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
