import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../../harness/eventually.ts';
import { Journal } from './journal.ts';
import { Load } from './load.ts';

let server: Server;
const journals: Journal[] = [];

/** A load on a server that answers as `listener` does. */
async function loadOn(listener: RequestListener) {
  server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const journal = new Journal();
  journals.push(journal);
  return { journal, load: new Load({ url, ingestKey: 'ingest', operatorKey: 'operator' }, journal) };
}

/** As the product does, with `{"alerts":[…]}` to all that lists. */
const good: RequestListener = (request, response) => {
  const accepted = request.method === 'POST' && request.url === '/api/v1/alerts';
  response.writeHead(accepted ? 202 : 200).end('{"alerts":[{"id":"one"}]}');
};

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe('the load', () => {
  it('O1: asks at its rate, reads and posts; all that it began to raise is ended', async () => {
    const { journal, load } = await loadOn(good);
    load.start(500);
    await eventually(() => journal.current.latenciesMs.length >= 400, 10_000);
    await load.stop();
    journal.end();
    const { startedAt, endedAt, failures } = journal.current;
    expect(endedAt - startedAt).toBeGreaterThanOrEqual(780);
    expect(failures).toEqual([]);
    const alerts = [...load.pool.sent.values()];
    expect(alerts.length).toBeGreaterThan(20);
    for (const { posts } of alerts) {
      expect(posts.at(-1)).toMatchObject({ status: 'resolved', outcome: 'accepted' });
    }
  });

  it.each<[string, RequestListener, RegExp]>([
    ['an answer of 5xx', (_request, response) => void response.writeHead(502).end('bad gateway'), /: 502 bad gateway$/],
    ['a connection that breaks', (request) => void request.socket.destroy(), /ECONNRESET|socket hang up/],
    ['a refusal', (_request, response) => void response.writeHead(429).end(), /: 429$/],
  ])('O1: counts %s as a failure, in the phase in which the request was due', async (_what, listener, fault) => {
    const { journal, load } = await loadOn(listener);
    journal.begin('before');
    const phase = journal.begin('during');
    load.start(200);
    await eventually(() => phase.failures.length >= 20);
    await load.stop();
    expect(journal.phases[0]!.failures).toEqual([]);
    for (const { what } of phase.failures) expect(what).toMatch(fault);
    const outcomes = [...load.pool.sent.values()].flatMap(({ posts }) => posts.map(({ outcome }) => outcome));
    expect(outcomes).not.toContain('accepted');
  });
});
