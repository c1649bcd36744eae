import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Lifecycle } from 'eyrie/lifecycle';
import { start } from '../fixtures/server.js';

describe('closing', () => {
  it('G1: while it drains it serves, readiness is 503, and connections close as they fall idle', async () => {
    const { app: closing, url: base } = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const get = async (path: string) => {
      const [response] = (await once(httpRequest(base + path, { agent }).end(), 'response')) as [IncomingMessage];
      return { status: response.statusCode, connection: response.headers.connection, body: await text(response) };
    };
    expect(await get('/health/ready')).toMatchObject({ status: 200, connection: 'keep-alive' });
    closing.get(Lifecycle).drain();
    expect(await get('/health/ready')).toMatchObject({ status: 503, connection: 'close' });
    expect((await get('/health/live')).status).toBe(200);
    expect((await get('/health/startup')).status).toBe(200);
    expect(await get('/ok/1')).toMatchObject({ status: 200, connection: 'close' });
    const slow = get('/slow');
    await sleep(50);
    const idle = connect(Number(new URL(base).port), '127.0.0.1');
    await once(idle, 'connect');
    const started = performance.now();
    await closing.close();
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(await slow).toMatchObject({ status: 200, body: '{"slow":true}' });
    expect(closing.get(Lifecycle).state).toBe('stopped');
    idle.destroy();
    agent.destroy();
  });

  it('G1: a request that never ends does not keep the stops from running', async () => {
    const { app: closing, url: base } = await start({ REQUEST_DRAIN_TIMEOUT: '200ms' });
    const stopped: string[] = [];
    closing.get(Lifecycle).onStop('database', () => void stopped.push('database'));
    const endless = fetch(`${base}/endless`).then(
      () => 'answered',
      () => 'cut off',
    );
    await sleep(50);
    await closing.close();
    expect(await endless).toBe('cut off');
    expect(stopped).toEqual(['database']);
  });
});
