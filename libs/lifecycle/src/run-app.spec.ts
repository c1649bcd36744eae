import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';

type Line = { level: string; message: string; error?: { message: string; cause?: { message: string } } };

const fixtures = new URL('../fixtures/', import.meta.url).pathname;
const running = new Set<ChildProcess>();

/** A real process that runs the fixture with a planted fault. */
class Fixture {
  private output = '';
  private readonly child: ChildProcess;
  readonly exit: Promise<number | string>;

  constructor(fault = '', drainDelayMs = 0) {
    const flags = ['--conditions=source', '--import', `${fixtures}typescript.mjs`, `${fixtures}app.ts`];
    this.child = spawn(process.execPath, [...flags, fault, String(drainDelayMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.add(this.child);
    this.child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.exit = once(this.child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  }

  /** Stops reading what the process writes, for a while or for good. */
  stopReading(forMs?: number): void {
    if (forMs === undefined) this.child.stdout?.destroy();
    else {
      this.child.stdout?.pause();
      setTimeout(() => this.child.stdout?.resume(), forMs);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  get lines(): Line[] {
    const whole = this.output.slice(0, this.output.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  }

  get messages(): string[] {
    return this.lines.map(({ message }) => message);
  }

  /** The first message with this text, once it is logged. */
  async logged(part: string): Promise<string> {
    for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(10)) {
      const found = this.messages.find((message) => message.includes(part));
      if (found) return found;
      if (this.child.exitCode !== null) break;
    }
    throw new Error(`not logged: "${part}":\n${this.output}`);
  }

  async url(): Promise<string> {
    return (await this.logged('listening on ')).replace('listening on ', '');
  }
}

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

describe('runApp', () => {
  it('G1: SIGTERM drains, finishes the request in flight, runs the stops LIFO, and exits with 0', async () => {
    const fixture = new Fixture('', 300);
    const url = await fixture.url();
    const agent = new Agent({ keepAlive: true });
    const idle = await read(`${url}/state`, agent); // leaves an idle keep-alive connection behind
    expect(idle).toBe('ready');
    const slow = fetch(`${url}/slow`, { headers: { connection: 'close' } }).then((response) => response.text());
    await fixture.logged('slow request came');
    fixture.kill('SIGTERM');
    await fixture.logged('is draining');
    expect(await read(`${url}/state`, new Agent({ keepAlive: false }))).toBe('draining'); // still served during the delay
    expect(await slow).toBe('slow but whole');
    expect(await fixture.exit).toBe(0);
    const tail = fixture.messages.slice(fixture.messages.findIndex((message) => message.includes('is draining')));
    expect(tail).toEqual([
      'fixture is draining: received SIGTERM',
      'last opened, closed first',
      'Stopped last opened',
      'Stopped faulty',
      'first opened, closed last',
      'Stopped first opened',
      'fixture ended with exit status 0',
    ]);
    agent.destroy();
  });

  it('G1: a stop that fails keeps no other from running, and the exit status tells', async () => {
    const fixture = new Fixture('failing-stop');
    await fixture.url();
    fixture.kill('SIGINT');
    expect(await fixture.exit).toBe(1);
    expect(fixture.messages).toContain('first opened, closed last');
    expect(fixture.lines).toContainEqual(
      expect.objectContaining({
        message: 'faulty failed to stop',
        error: expect.objectContaining({ message: 'planted failure' }),
      }),
    );
  });

  it('G1: the whole shutdown is bounded', async () => {
    const fixture = new Fixture('hanging-stop');
    await fixture.url();
    fixture.kill('SIGTERM');
    expect(await fixture.exit).toBe(1);
    expect(fixture.messages).toContain('fixture did not stop within 3000 ms; ending it');
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('G1: a second signal, %s, ends the process at once', async (signal, status) => {
    const fixture = new Fixture('hanging-stop');
    await fixture.url();
    fixture.kill('SIGTERM');
    await fixture.logged('Stopped last opened');
    fixture.kill(signal);
    expect(await fixture.exit).toBe(status);
    expect(fixture.messages.at(-1)).toBe(`Received ${signal} again; ending at once`);
  });

  it.each([
    ['while the app is built', 'slow-start'],
    ['while it waits for what it needs, by the signal of its drain', 'slow-listen'],
  ])('G1: a stop asked for during start-up, %s, ends it cleanly', async (_when, fault) => {
    const fixture = new Fixture(fault);
    await fixture.logged('slow start');
    fixture.kill('SIGTERM');
    expect(await fixture.exit).toBe(0);
    expect(fixture.messages).not.toContain('fixture could not start');
  });

  it('G1: an app that cannot start closes what it opened and exits with 1', async () => {
    const fixture = new Fixture('bad-start');
    expect(await fixture.exit).toBe(1);
    expect(fixture.lines).toContainEqual(
      expect.objectContaining({
        message: 'fixture could not start',
        error: expect.objectContaining({ message: 'planted start-up fault' }),
      }),
    );
    expect(fixture.messages).toContain('first opened, closed last');
  });

  it.each([
    ['crash', 'Uncaught exception', 'planted crash'],
    ['reject', 'Unhandled rejection', 'planted rejection'],
  ])('C7: the last lines of a process that ends by a %s reach stdout', async (path, message, cause) => {
    const fixture = new Fixture();
    const url = await fixture.url();
    await fetch(`${url}/${path}`, { headers: { connection: 'close' } }).catch(() => undefined);
    expect(await fixture.exit).toBe(1);
    const fatal = fixture.lines.find((line) => line.message === message);
    expect(fatal).toMatchObject({ level: 'fatal', error: { message: cause } });
    if (path === 'crash') expect(fatal?.error?.cause?.message).toBe('planted cause');
    expect(fixture.messages.at(-1)).toBe('fixture ended with exit status 1');
  });

  it('C7: no line is lost when a crash follows a flood of them, even to a slow reader', async () => {
    const fixture = new Fixture();
    const url = await fixture.url();
    fixture.stopReading(700);
    await fetch(`${url}/flood`, { headers: { connection: 'close' } }).catch(() => undefined);
    expect(await fixture.exit).toBe(1);
    const flood = fixture.messages.filter((message) => message.startsWith('line '));
    expect(flood).toHaveLength(20_000);
    expect(flood.at(-1)).toBe('line 20000');
    expect(fixture.lines).toContainEqual(expect.objectContaining({ level: 'fatal', message: 'Uncaught exception' }));
    expect(fixture.messages.at(-1)).toBe('fixture ended with exit status 1');
  });

  it('C7: a log that nobody reads any more does not keep the process', async () => {
    const fixture = new Fixture();
    await fixture.url();
    fixture.stopReading();
    fixture.kill('SIGTERM');
    expect(await fixture.exit).toBe(0);
  });

  it('G1: SIGHUP reloads what can be reloaded, and stops an app that has nothing to reload', async () => {
    const reloadable = new Fixture('reload');
    await reloadable.url();
    reloadable.kill('SIGHUP');
    await reloadable.logged('sample was read again');
    reloadable.kill('SIGTERM');
    expect(await reloadable.exit).toBe(0);
    const plain = new Fixture();
    await plain.url();
    plain.kill('SIGHUP');
    expect(await plain.exit).toBe(0);
  });
});

async function read(url: string, agent?: Agent): Promise<string> {
  const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  return text(response);
}
