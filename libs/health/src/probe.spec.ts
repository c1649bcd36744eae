import { spawnSync } from 'node:child_process';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { probe } from './probe.js';

const servers: { close: () => unknown }[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  servers.push({ close: () => server.close().closeAllConnections() });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/health/ready`;
}

describe('probe', () => {
  it('K1: is content with an answer in the 200s, and with no other', async () => {
    for (const [code, ok] of [
      [200, true],
      [204, true],
      [301, false],
      [404, false],
      [503, false],
    ] as const) {
      const url = await serving((_request, response) => response.writeHead(code).end(code === 204 ? '' : 'state'));
      expect(await probe(url)).toEqual({ ok, text: code === 204 ? '204' : `${code} state` });
    }
  });

  it('K1: is not content when nothing listens, or there is no such address', async () => {
    const url = await serving(() => undefined);
    servers.splice(0).forEach((server) => server.close());
    expect(await probe(url)).toEqual({ ok: false, text: expect.stringContaining('ECONNREFUSED') });
    expect((await probe('')).ok).toBe(false);
  });

  it('K1: gives up on an app that hangs, before its answer or within it', async () => {
    const mute = await serving(() => undefined);
    expect(await probe(mute, 50)).toEqual({ ok: false, text: 'no answer within 50 ms' });
    const stuck = await serving((_request, response) => void response.writeHead(200).write('{'));
    expect(await probe(stuck, 50)).toEqual({ ok: false, text: 'no answer within 50 ms' });
  });

  it('K1: keeps little of a long answer', async () => {
    const url = await serving((_request, response) => response.writeHead(500).end('x'.repeat(100_000)));
    expect((await probe(url)).text.length).toBeLessThan(600);
  });

  it('K1: as a program it tells by its status', async () => {
    const program = join(import.meta.dirname, 'probe.ts');
    const { status, stderr } = spawnSync(process.execPath, [program, 'http://127.0.0.1:1/'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('ECONNREFUSED') });
  });
});
