import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy whose present connections can be broken, or lead nowhere, as where a host vanishes without a word. */
export class TcpProxy {
  private readonly pairs: [near: Socket, far: Socket][] = [];

  private constructor(
    private readonly target: URL,
    private readonly server: Server,
  ) {}

  static async to(url: string): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(new URL(url), server);
    server.on('connection', (near) => {
      const far = connect(Number(proxy.target.port), proxy.target.hostname);
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => undefined);
      proxy.pairs.push([near, far]);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  /** The target's, through this. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  /** Puts `bytes` behind what the target says next, in one packet, and hangs up: its last words, in the same breath. */
  endWith(bytes: Buffer): void {
    for (const [near, far] of this.pairs) {
      far.unpipe().resume();
      far.once('data', (answer: Buffer) => near.end(Buffer.concat([answer, bytes])));
    }
  }

  swallow(): void {
    for (const socket of this.pairs.flat()) socket.unpipe().resume();
  }

  async close(): Promise<void> {
    for (const socket of this.pairs.flat()) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
