import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Post, Res, StreamableFile } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { LoggingModule } from 'eyrie/logging';
import type { FastifyReply } from 'fastify';
import { type Line, settings } from '../fixtures/server.js';
import { createServer } from './index.js';

const limitMs = 200;
const lines: Line[] = [];
const output = { write: (line: string) => void lines.push(JSON.parse(line) as Line), flushSync: () => undefined };

async function* slowly(firstMs: number): AsyncGenerator<string> {
  await sleep(firstMs);
  for (let count = 0; count < 4; count += 1) {
    yield `part ${count}\n`;
    await sleep(limitMs / 2);
  }
}

@Controller()
class SlowController {
  @Get('late/:id')
  async late() {
    await sleep(limitMs * 3);
    return { late: true };
  }

  @Get('late-fault')
  async lateFault() {
    await sleep(limitMs * 3);
    throw new Error('planted, and too late');
  }

  @Get('stream')
  stream() {
    return new StreamableFile(Readable.from(slowly(0)));
  }

  @Get('hijacked')
  hijacked(@Res() reply: FastifyReply) {
    reply.hijack();
    setTimeout(() => reply.raw.end('taken over'), limitMs * 3);
  }

  @Post('echo')
  echo(@Body() body: unknown) {
    return { body };
  }
}

describe('HANDLER_TIMEOUT', () => {
  let app: NestFastifyApplication;
  let url: string;

  beforeAll(async () => {
    const logging = { level: 'info', format: 'json', service: 't', version: '1', environment: 'test', output } as const;
    @Module({ imports: [LoggingModule.forRoot(logging)], controllers: [SlowController] })
    class App {}
    app = await createServer(App, settings({ HANDLER_TIMEOUT: `${limitMs}ms` }));
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterAll(() => app.close());
  afterEach(() => void (lines.length = 0));

  it.each(['/late/1', '/late-fault'])(
    'B3: a handler that takes too long is answered 503, and logged: %s',
    async (path) => {
      const started = performance.now();
      const response = await fetch(url + path);
      expect(performance.now() - started).toBeLessThan(limitMs * 2.5);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('1');
      expect(response.headers.get('x-request-id')).toBeTruthy();
      expect(await response.json()).toMatchObject({ type: 'urn:eyrie:problem:handler-timeout' });
      const route = path.replace('1', ':id');
      const error = expect.objectContaining({ message: `GET ${route} took longer than 200 ms (HANDLER_TIMEOUT)` });
      expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', error }));
      // What the handler answers, or throws, later changes nothing; the connection goes on.
      await sleep(limitMs * 3);
      expect((await fetch(`${url}/echo`, post('{}'))).status).toBe(201);
    },
  );

  it('B3: a stream that has begun, and a reply that was taken over, take as long as they like', async () => {
    const [stream, hijacked] = await Promise.all([fetch(`${url}/stream`), fetch(`${url}/hijacked`)]);
    expect(await stream.text()).toBe('part 0\npart 1\npart 2\npart 3\n');
    expect(await hijacked.text()).toBe('taken over');
  });

  it('B3: the time in which a client sends its body does not count', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n');
    socket.write('Content-Length: 2\r\n\r\n[');
    await sleep(limitMs * 2);
    socket.write(']');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 201 /);
  });
});

const post = (body: string) => ({ method: 'POST', body, headers: { 'content-type': 'application/json' } });
