import { EventEmitter, once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { Lifecycle } from 'eyrie/lifecycle';
import { ClusterMember, type MemberOptions } from './member.js';
import type { FromMember } from './messages.js';

class FakeSelf extends EventEmitter {
  connected = true;
  readonly said: FromMember[] = [];
  exited?: number;

  send(message: FromMember): boolean {
    return this.said.push(message) > 0;
  }

  exit(status: number): void {
    this.exited = status;
  }
}

function member(options: Partial<MemberOptions> = {}) {
  const self = new FakeSelf();
  const one = new ClusterMember({ maxRequests: 0, maxRequestsJitter: 0, lingerMs: 5_000, ...options }, self);
  const heard: string[] = [];
  const listen = () => {
    for (const signal of ['SIGTERM', 'SIGINT']) one.signals.on(signal, () => heard.push(signal));
  };
  return { self, one, heard, listen };
}

const stop = (retire: boolean) => ({ kind: 'eyrie:stop', signal: 'SIGTERM', retire });

describe('ClusterMember', () => {
  it('G1: leaves signals to the primary, whose word counts once', () => {
    const { self, heard, listen } = member();
    listen();
    self.emit('SIGINT');
    self.emit('SIGHUP');
    expect(heard).toEqual([]);
    self.emit('message', { kind: 'eyrie:stop', signal: 'SIGINT', retire: false });
    self.emit('message', stop(false));
    expect(heard).toEqual(['SIGINT']);
    self.emit('message', { kind: 'eyrie:force', signal: 'SIGTERM' });
    expect(heard).toEqual(['SIGINT', 'SIGTERM']);
  });

  it('G1: ends at once when it is told to before its app listens, or when its primary goes', () => {
    const { self, one } = member();
    self.emit('message', stop(false));
    expect(self.exited).toBe(0);
    const orphan = member();
    orphan.listen();
    orphan.one.orphaned();
    expect(orphan.heard).toEqual(['SIGTERM']);
    expect(one.lingerMs).toBe(0);
  });

  it('B2: asks once to be replaced, after its share of requests', () => {
    for (const [random, share] of [
      [0, 8],
      [0.5, 10],
      [1, 12],
    ] as const) {
      const { self, one } = member({ maxRequests: 10, maxRequestsJitter: 2, random: () => random });
      const server = createServer();
      one.serve(server, new Lifecycle());
      let count = 0;
      for (; self.said.length === 0; count += 1) server.emit('request', {}, {});
      expect(count).toBe(share);
      server.emit('request', {}, {});
      self.emit('SIGTERM');
      expect(self.said.map(({ kind }) => kind)).toEqual(['eyrie:recycle']);
    }
  });

  it('B2: when it retires it stops listening at once, but closes no connection', async () => {
    const { self, one, listen } = member();
    listen();
    const server = createServer((_request, response) => response.end('served'));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const lifecycle = new Lifecycle();
    one.serve(server, lifecycle);
    lifecycle.ready();
    const { port } = server.address() as { port: number };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async () => {
      const [response] = (await once(get({ host: '127.0.0.1', port, agent }), 'response')) as [IncomingMessage];
      return text(response);
    };
    expect(await ask()).toBe('served');
    self.emit('message', stop(true));
    lifecycle.drain();
    expect(server.listening).toBe(false);
    expect(await ask()).toBe('served'); // on the connection that is open
    expect(one.lingerMs).toBe(5_000);
    expect(self.said.map(({ kind }) => kind)).toEqual(['eyrie:ready']);
    agent.destroy();
  });

  it('B4: says so when it drains by itself, and is not told again', () => {
    const { self, one, heard, listen } = member();
    listen();
    const lifecycle = new Lifecycle();
    one.serve(createServer(), lifecycle);
    lifecycle.ready();
    lifecycle.drain();
    expect(self.said.map(({ kind }) => kind)).toEqual(['eyrie:ready', 'eyrie:leaving']);
    self.emit('message', stop(false));
    expect(heard).toEqual([]); // it would count as the second signal
  });
});
