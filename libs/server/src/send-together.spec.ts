import { AsyncLocalStorage } from 'node:async_hooks';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { sendTogether } from './send-together.js';

interface Setup {
  happened: string[];
  /** Sends requests that the server finds all at once, and answers the statuses. */
  askAtOnce: (...paths: string[]) => Promise<number[]>;
}

describe('answers of one turn of the event loop', () => {
  const closing: (() => Promise<unknown> | void)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function setup(now?: () => number, routes: (app: FastifyInstance) => void = () => undefined): Promise<Setup> {
    const happened: string[] = [];
    const app = fastify();
    sendTogether(app, now);
    app.addHook('onRequest', (request, reply, done) => {
      reply.raw.once('finish', () => happened.push(`sent ${request.url}`));
      done();
    });
    app.get('/:name', ({ url }) => {
      happened.push(`handled ${url}`);
      return url;
    });
    routes(app);
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    closing.push(() => app.close());
    const askAtOnce = async (...paths: string[]) => {
      const sockets = await Promise.all(paths.map(() => connected(Number(new URL(url).port))));
      closing.push(() => sockets.forEach((socket) => socket.destroy()));
      for (const socket of sockets) await ask(socket, '/first'); // and so the server has accepted it
      happened.length = 0;
      return Promise.all(sockets.map((socket, index) => ask(socket, paths[index]!)));
    };
    return { happened, askAtOnce };
  }

  it('go out together, when all their handlers have run', async () => {
    const { happened, askAtOnce } = await setup(() => 0);
    expect(await askAtOnce('/a', '/b', '/c')).toEqual([200, 200, 200]);
    expect(happened.map((what) => what.split(' ')[0])).toEqual([
      'handled',
      'handled',
      'handled',
      'sent',
      'sent',
      'sent',
    ]);
  });

  it('do not wait for all who may follow: not for longer than a millisecond', async () => {
    let time = 0;
    const { happened, askAtOnce } = await setup(() => (time += 0.6));
    await askAtOnce('/a', '/b', '/c', '/d');
    const handledBefore = happened.findIndex((what) => what.startsWith('sent'));
    expect(handledBefore).toBe(3);
  });

  it('are sent in the context of their own requests', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: string[] = [];
    const { askAtOnce } = await setup(
      () => 0,
      (app) => {
        app.addHook('onRequest', (request, _reply, done) => storage.run(request.url, done));
        app.addHook('onResponse', (request, _reply, done) => {
          seen.push(`${request.url} as ${storage.getStore()}`);
          done();
        });
      },
    );
    await askAtOnce('/a', '/b', '/c');
    const first = ['/first as /first', '/first as /first', '/first as /first'];
    expect(seen.sort()).toEqual(['/a as /a', '/b as /b', '/c as /c', ...first]);
  });

  it('fail by themselves: what cannot be sent is a 500, and the others are sent', async () => {
    const { askAtOnce } = await setup(
      () => 0,
      (app) => {
        app.get('/bad-header', (_request, reply) => reply.header('x-bad', 'line\nbreak').send('never'));
        app.setErrorHandler((_error, _request, reply) => reply.code(500).send('fault'));
      },
    );
    expect(await askAtOnce('/a', '/bad-header', '/c')).toEqual([200, 500, 200]);
  });

  it('fail by themselves even if their errors cannot be sent either', async () => {
    const { askAtOnce } = await setup(
      () => 0,
      (app) => {
        app.get('/bad-header', (_request, reply) => reply.header('x-bad', 'line\nbreak').send('never'));
        app.setErrorHandler((_error, _request, reply) => reply.header('x-bad', 'line\nbreak').send('never'));
      },
    );
    const [before, bad, after] = await askAtOnce('/a', '/bad-header', '/c');
    expect([before, after]).toEqual([200, 200]);
    expect([0, 500]).toContain(bad);
  });

  it('are not streams, which begin at once, and whose faults are listened for', async () => {
    const { happened, askAtOnce } = await setup(
      () => 0,
      (app) =>
        app.get('/stream', (request, reply) => {
          const stream = new Readable({ read: () => undefined });
          reply.raw.once('error', () => undefined);
          process.nextTick(() => stream.destroy(new Error('planted')));
          happened.push(`handled ${request.url}`);
          return reply.send(stream);
        }),
    );
    expect(await askAtOnce('/a', '/stream', '/c')).toEqual([200, 500, 200]);
  });
});

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** The status of the answer, or 0 when the connection closes first. */
function ask(socket: Socket, path: string): Promise<number> {
  return new Promise((resolve) => {
    socket.once('data', (data) => resolve(Number(data.toString('latin1').split(' ')[1])));
    socket.once('close', () => resolve(0));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`);
  });
}
