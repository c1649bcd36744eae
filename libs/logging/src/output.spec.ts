import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { DescriptorOutput, wholeLines } from './output.js';

const folder = mkdtempSync(join(tmpdir(), 'eyrie-output-'));
const typescript = new URL('../../lifecycle/fixtures/typescript.mjs', import.meta.url).pathname;
const fixture = new URL('../fixtures/last-lines.ts', import.meta.url).pathname;
const flags = ['--conditions=source', '--no-warnings', '--import', typescript, fixture];
const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A program that logs so many lines and then ends; `stdout` is a pipe, or a file. */
function program(ending: string, count: number, stdout: 'pipe' | number = 'pipe'): ChildProcess {
  const child = spawn(process.execPath, [...flags, ending, String(count)], { stdio: ['ignore', stdout, 'pipe'] });
  running.add(child);
  return child;
}

/** Reads what the program writes, after a while in which nobody does. */
async function readLate(child: ChildProcess, lateMs: number): Promise<string> {
  await sleep(lateMs);
  return child.stdout ? text(child.stdout) : '';
}

/** The exit status, once everything is read. */
async function closed(child: ChildProcess): Promise<unknown> {
  const [status] = (await once(child, 'close')) as unknown[];
  return status;
}

const messages = (log: string) =>
  log
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { message: string }).message);
const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`);

describe('the last lines', () => {
  it.each([
    ['return', 0],
    ['exit', 3],
    ['throw', 1],
    ['reject', 1],
    ['listener', 3],
  ])('C7: 10,000 lines before "%s" reach a pipe that is read late, and a file', async (ending, status) => {
    const path = join(folder, ending);
    const file = openSync(path, 'w');
    const [slow, filed] = [program(ending, 10_000), program(ending, 10_000, file)];
    closeSync(file);
    const [log, slowStatus, filedStatus] = await Promise.all([readLate(slow, 1_000), closed(slow), closed(filed)]);
    expect(messages(log)).toEqual(lines(10_000));
    expect(messages(readFileSync(path, 'utf8'))).toEqual(lines(10_000));
    expect([slowStatus, filedStatus]).toEqual([status, status]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'C7: 10,000 lines after %s reach a pipe that is read late',
    async (signal) => {
      const child = program('signal', 10_000);
      await once(child.stderr ?? child, 'data');
      child.kill(signal);
      expect(messages(await readLate(child, 500))).toEqual([...lines(10_000), `received ${signal}`]);
    },
  );

  it('C7: a reader that stops for a while does not stop the program, and misses nothing', async () => {
    const child = program('live', 20_000);
    const [log, told] = await Promise.all([readLate(child, 2_500), text(child.stderr as NodeJS.ReadableStream)]);
    expect((JSON.parse(told) as { stoodStillMs: number }).stoodStillMs).toBeLessThan(500);
    expect(messages(log)).toEqual(lines(20_000));
  });

  it('C7: a shell pipe whose reader stops for a while does not stop the program either', async () => {
    const command = `"${process.execPath}" ${flags.join(' ')} live 20000 | (sleep 2.5; cat)`;
    const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    const [log, told] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect((JSON.parse(told) as { stoodStillMs: number }).stoodStillMs).toBeLessThan(500);
    expect(messages(log)).toEqual(lines(20_000));
  });

  it('C7: a reader that goes away is no reason to crash', async () => {
    const child = program('live', 20_000);
    child.stdout?.destroy();
    const [told, status] = await Promise.all([text(child.stderr as NodeJS.ReadableStream), closed(child)]);
    expect([JSON.parse(told), status]).toEqual([{ stoodStillMs: expect.any(Number) }, 0]);
  });
});

describe('DescriptorOutput', () => {
  /** A pipe of which both ends are here; at first it takes no more than the system's 64 KiB. */
  function pipe() {
    const path = join(folder, `pipe-${Math.random()}`);
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const buffer = Buffer.alloc(1024 * 1024);
    const read = (): string => {
      try {
        return buffer.toString('utf8', 0, readSync(reader, buffer));
      } catch {
        return '';
      }
    };
    return { reader, writer, read };
  }
  const line = (index: number) => `${String(index).padStart(8)} ${'x'.repeat(990)}\n`;
  const elapsed = (work: () => void) => {
    const started = performance.now();
    work();
    return performance.now() - started;
  };

  it('C7: waits once for a reader that has stopped, then counts what is lost, and says so when it moves again', async () => {
    const { writer, read } = pipe();
    const output = new DescriptorOutput(writer, { mostPending: 1024 * 1024, patienceMs: 300 });
    let log = '';
    let written = 0;
    const lost: number[] = [];
    output.onLoss = (count) => {
      lost.push(count);
      output.write('told\n');
    };
    const longest = Math.max(...Array.from({ length: 3_000 }, () => elapsed(() => output.write(line((written += 1))))));
    expect(longest).toBeGreaterThanOrEqual(290);
    expect(longest).toBeLessThan(1_000);
    // Nobody waits again as long as nothing moves.
    expect(elapsed(() => output.flushSync())).toBeLessThan(150);
    for (let tries = 0; tries < 100 && !log.endsWith('told\n'); tries += 1) {
      log += read();
      await sleep(10);
    }
    const kept = log.split('\n').filter((each) => /^ *\d/.test(each));
    expect(kept.map((each) => Number(each.slice(0, 8)))).toEqual(Array.from(kept, (_, index) => index + 1));
    expect(lost).toEqual([3_000 - kept.length]);
    expect(kept.length).toBeGreaterThan(1_000);
    output.write(line(1));
    output.flushSync();
    expect(read()).toBe(line(1));
    closeSync(writer);
  });

  it('C7: tears no line apart that others write beside, in the same pipe', () => {
    const all = Array.from({ length: 40 }, (_, index) => `${index} ${'x'.repeat(50 * index)}\n`).join('');
    const pieces: string[] = [];
    for (let rest = Buffer.from(all); rest.length > 0; rest = rest.subarray(pieces.at(-1)!.length)) {
      pieces.push(wholeLines(rest, 4_096).toString());
    }
    expect(pieces.join('')).toBe(all);
    expect(pieces.filter((piece) => !piece.endsWith('\n') || piece.length > 4_096)).toEqual([]);
    expect(pieces.length).toBeLessThan(15);
    expect(wholeLines(Buffer.from(`${'x'.repeat(5_000)}\nnext\n`), 4_096)).toHaveLength(5_001);
  });

  it('C7: a reader that is gone silences it, without an error and without waiting', () => {
    const { writer, reader } = pipe();
    const output = new DescriptorOutput(writer);
    output.write('one\n');
    closeSync(reader);
    expect(elapsed(() => output.flushSync())).toBeLessThan(500);
    output.write('two\n');
    output.flushSync();
    closeSync(writer);
  });

  it('C7: a full disk is no reason to fall silent for good', () => {
    const full = openSync('/dev/full', 'w');
    const { writer, read } = pipe();
    const output = new DescriptorOutput(full, { patienceMs: 20 });
    output.write('kept\n');
    output.flushSync();
    Object.assign(output, { descriptor: writer }); // room at last
    output.write('and more\n');
    output.flushSync();
    expect(read()).toBe('kept\nand more\n');
    closeSync(full);
    closeSync(writer);
  });
});
