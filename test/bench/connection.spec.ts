import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { patchEnds, patchSerials, patchStarts, prepareRequest, type Target } from './alerts.ts';
import { Connection } from './connection.ts';

interface Posted {
  labels: Record<string, string>;
  startsAt: string;
  endsAt: string;
}

let server: Server;
let connection: Connection;

async function start(answer: Parameters<typeof createServer>[1]): Promise<Target> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port, path: '/api/v2/alerts' };
  connection = new Connection(target);
  return target;
}

afterEach(() => {
  connection.close();
  server.close();
});

describe('the load client', () => {
  it('sends alerts that a server reads as they are, patched in place', async () => {
    const received: Posted[][] = [];
    const target = await start((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push(JSON.parse(Buffer.concat(chunks).toString()) as Posted[]);
        response.end();
      });
    });
    const [first, second] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-01-01T00:01:00Z')];
    const request = prepareRequest(target, { first: 5, count: 3, startsAt: first });
    expect(await connection.send(request.bytes)).toBe(200);
    let serial = 70;
    patchSerials(request, () => serial++);
    patchStarts(request, second);
    patchEnds(request, second);
    expect(await connection.send(request.bytes)).toBe(200);

    const [before, after] = received;
    expect(before!.map(({ labels }) => labels.pod!.slice(-12))).toEqual([
      '000000000005',
      '000000000006',
      '000000000007',
    ]);
    expect(after!.map(({ labels }) => labels.pod!.slice(-12))).toEqual([
      '000000000070',
      '000000000071',
      '000000000072',
    ]);
    expect(after!.map(({ startsAt }) => startsAt)).toEqual(Array(3).fill('2026-01-01T00:01:00.000Z'));
    expect(after!.map(({ endsAt }) => endsAt)).toEqual(Array(3).fill('2026-01-01T00:05:00.000Z'));
    expect(Object.keys(before![0]!.labels).length).toBeGreaterThanOrEqual(10);
  });

  it('reads statuses of responses with a length, in chunks, and in pieces, on one connection', async () => {
    const statuses = [200, 400, 503, 200];
    const target = await start((_request, response) => {
      const status = statuses.shift()!;
      response.writeHead(status, status === 200 ? { 'content-length': 4 } : {});
      response.write('pi');
      setTimeout(() => response.end('ec'), 5);
    });
    const { bytes } = prepareRequest(target, { first: 0, count: 1, startsAt: new Date() });
    const answers = [];
    for (let turn = 0; turn < 4; turn++) answers.push(await connection.send(bytes));
    expect(answers).toEqual([200, 400, 503, 200]);
  });

  it('tells a connection that died as status 0, and goes on with a new one', async () => {
    let requests = 0;
    const target = await start((request, response) => (++requests === 1 ? request.socket.destroy() : response.end()));
    const { bytes } = prepareRequest(target, { first: 0, count: 1, startsAt: new Date() });
    expect(await connection.send(bytes)).toBe(0);
    expect(await connection.send(bytes)).toBe(200);
  });
});
