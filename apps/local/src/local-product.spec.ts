import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadSettings } from 'eyrie/config';
import { LaunchError } from './launch-error.js';
import { slices } from './local.config.js';
import { LocalProduct } from './local-product.js';
import type { Programs } from './programs.js';
import { Screen } from './screen.js';

/** Stands in for an app: ready on its port, says what it was given, and how it ends when it is told to. */
const APP = `
import { createServer } from 'node:http';
const [name, port, mood] = process.argv.slice(2);
const { LOG_LEVEL, LOG_FORMAT, INGEST_KEY, OPERATOR_KEY, ALERTS_CONFIG, DATABASE_URL } = process.env;
console.log(JSON.stringify({ LOG_LEVEL, LOG_FORMAT, INGEST_KEY, OPERATOR_KEY, ALERTS_CONFIG, DATABASE_URL }));
createServer((_, response) => response.writeHead(200).end()).listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => setTimeout(() => { console.log('drained'); process.exit(0); }, 20));
if (mood === 'dies') setTimeout(() => process.exit(7), 300);
`;

let folder: string;
let ports: [number, number, number];
let output: Output;
let stop: AbortController;
let other: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyrie-local-'));
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'app.mjs'), APP);
  await writeFile(join(folder, 'migrate.mjs'), `console.log('migrated');`);
  ports = await freePorts();
  output = new Output();
  stop = new AbortController();
});
afterEach(async () => {
  other?.close();
  await rm(folder, { recursive: true, force: true });
});

interface Variation {
  env?: Record<string, string>;
  programs?: Partial<Programs>;
}

function product({ env = {}, programs = {} }: Variation = {}): LocalProduct {
  const [api, worker, receiver] = ports.map(String) as [string, string, string];
  const variables = {
    ...{ PORT: api, WORKER_PORT: worker, LOCAL_RECEIVER_PORT: receiver },
    DATABASE_URL: 'postgresql://me:hush@db.example/hub',
    ...env,
  };
  const app = join(folder, 'app.mjs');
  return new LocalProduct({
    settings: loadSettings(slices, { env: variables, cwd: folder }),
    programs: {
      migrate: [join(folder, 'migrate.mjs')],
      api: [app, 'api', api],
      worker: [app, 'worker', worker],
      watched: false,
      ...programs,
    },
    screen: new Screen(output, output),
    folder: join(folder, '.eyrie'),
    stop: stop.signal,
  });
}

describe('the local product', () => {
  it('G1: starts everything, says where it is, and drains the apps when it is told to stop', async () => {
    const running = product().run();
    await output.says('Eyrie is running.');
    const text = output.text;
    expect(text).toContain(`http://localhost:${ports[0]}/docs`);
    expect(text).toContain('db.example:5432/hub');
    expect(text).not.toContain('hush');
    stop.abort();
    await running;
    expect(output.text).toContain('[migrate] migrated');
    expect(output.text).toContain('[api] drained');
    expect(output.text).toContain('[worker] drained');
  });

  it('brings a database of its own, before the apps and until after them', async () => {
    const dataFolder = join(folder, 'postgres');
    const running = product({ env: { DATABASE_URL: '', EMBEDDED_DATABASE_DIR: dataFolder } }).run();
    await output.says('Eyrie is running.');
    expect(output.text).toContain('embedded; data in');
    const { DATABASE_URL: url } = output.variables('api');
    expect(url).toMatch(/^postgresql:\/\/eyrie:[\w-]+@127\.0\.0\.1:\d+\/eyrie$/);
    await stat(join(dataFolder, 'data', 'postmaster.pid'));
    stop.abort();
    await running;
    await expect(stat(join(dataFolder, 'data', 'postmaster.pid'))).rejects.toThrow('ENOENT');
  });

  it('gives the apps keys, routing to the receiver and readable logs, the same keys at each start', async () => {
    const given: Record<string, string | undefined>[] = [];
    while (given.length < 4) {
      output = new Output();
      stop = new AbortController();
      const running = product().run();
      await output.says('Eyrie is running.');
      given.push(output.variables('api'), output.variables('worker'));
      stop.abort();
      await running;
    }
    const [first, ...others] = given;
    expect(first).toMatchObject({ LOG_LEVEL: 'warn', LOG_FORMAT: 'text' });
    expect(first!.INGEST_KEY).toMatch(/^[\w-]{32}$/);
    expect(others).toEqual([first, first, first]);
    expect(output.text).toContain(`Authorization: Bearer ${first!.INGEST_KEY}`);
    expect(await readFile(first!.ALERTS_CONFIG!, 'utf8')).toContain(`url: http://127.0.0.1:${ports[2]}/`);
    for (const file of ['keys.json', 'apps.env']) {
      expect((await stat(join(folder, '.eyrie', file))).mode & 0o777).toBe(0o600);
    }
  });

  it('leaves alone what the user has set, and does not show a key of theirs', async () => {
    const own = { INGEST_KEY: 'a-key-of-my-own', ALERTS_CONFIG: '/etc/mine.yml', LOG_LEVEL: 'debug' };
    const running = product({ env: own }).run();
    await output.says('Eyrie is running.');
    expect(Object.keys(output.variables('api')).sort()).toEqual(['LOG_FORMAT', 'OPERATOR_KEY']);
    expect(output.text).toContain('Bearer $INGEST_KEY');
    expect(output.text).not.toContain('a-key-of-my-own');
    stop.abort();
    await running;
  });

  it('ends as a whole, with a sentence, when one app dies', async () => {
    const worker = [join(folder, 'app.mjs'), 'worker', String(ports[1]), 'dies'];
    const failure = new LaunchError(
      'The worker ended with status 7; its lines above say why. Everything else was stopped.',
    );
    await expect(product({ programs: { worker } }).run()).rejects.toThrow(failure);
    expect(output.text).toContain('[api] drained');
  });

  it('starts no app on a database that could not be migrated', async () => {
    await writeFile(join(folder, 'migrate.mjs'), `console.error('no such column'); process.exit(3);`);
    await expect(product().run()).rejects.toThrow('The migration of the database ended with status 3');
    expect(output.text).toContain('[migrate] no such column');
    expect(output.text).not.toContain('[api]');
  });

  it.each([
    [0, 'PORT'],
    [1, 'WORKER_PORT'],
    [2, 'LOCAL_RECEIVER_PORT'],
  ] as const)('starts nothing when port %i is taken, and names it and %s', async (index, variable) => {
    other = createServer().listen(ports[index], '127.0.0.1');
    await once(other, 'listening');
    const message = `Port ${ports[index]} is taken by another program; set ${variable} to another port.`;
    await expect(product().run()).rejects.toMatchObject({ name: 'LaunchError', message });
    expect(output.text).toBe('');
  });

  it('refuses one port for two', async () => {
    await expect(product({ env: { WORKER_PORT: String(ports[0]) } }).run()).rejects.toThrow(
      `PORT and WORKER_PORT are both ${ports[0]}: set one of them to another port.`,
    );
  });

  it('starts watched apps one after the other, since their compilers share files', async () => {
    const running = product({ programs: { watched: true } }).run();
    await output.says('Eyrie is running.');
    stop.abort();
    await running;
    expect(output.text).toMatch(/\[api\] \{[^]*\[worker\] \{/);
  });

  it('does not say that it runs when it was stopped before it did', async () => {
    await writeFile(join(folder, 'app.mjs'), `console.log('never ready'); setInterval(() => {}, 1000);`);
    const running = product().run();
    await output.says('[worker] never ready');
    stop.abort();
    await running;
    expect(output.text).not.toContain('Eyrie is running.');
  });

  it('says which program has not been built', async () => {
    await expect(product({ programs: { api: ['/nowhere/main.js'] } }).run()).rejects.toThrow(
      '/nowhere/main.js is missing: run "npm run build" first.',
    );
  });

  it('says which file it cannot write', async () => {
    await writeFile(join(folder, '.eyrie'), 'a file where a folder should be');
    await expect(product().run()).rejects.toThrow(/keys\.json cannot be written: /);
  });

  it('stops while it is still starting', async () => {
    await writeFile(join(folder, 'migrate.mjs'), `console.log('migrating'); setInterval(() => {}, 1000);`);
    const running = product().run();
    await output.says('migrating');
    stop.abort();
    await running;
    expect(output.text).not.toContain('[api]');
  });

  it('keeps keys that were damaged for a person to look at', async () => {
    await mkdir(join(folder, '.eyrie'));
    await writeFile(join(folder, '.eyrie', 'keys.json'), '{}');
    await expect(product().run()).rejects.toThrow(/keys\.json does not hold two keys: remove it/);
  });
});

/** A screen that can be waited on. */
class Output extends Writable {
  text = '';
  private wake = () => {};

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    this.wake();
    done();
  }

  async says(words: string): Promise<void> {
    while (!this.text.includes(words)) await new Promise<void>((resolve) => (this.wake = resolve));
  }

  /** What an app says it was given. */
  variables(app: string): Record<string, string | undefined> {
    const [, json] = new RegExp(`^\\[${app}\\] (\\{.*\\})$`, 'm').exec(this.text)!;
    return JSON.parse(json!) as Record<string, string>;
  }
}

async function freePorts(): Promise<[number, number, number]> {
  const servers = [1, 2, 3].map(() => createServer().listen(0));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const found = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return found as [number, number, number];
}
