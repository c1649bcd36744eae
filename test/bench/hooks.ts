import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cleanup } from '../harness/processes.ts';

export interface HookedAlert {
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
}

/** What becomes of a webhook: answered with this status, or never. */
export type Fate = number | 'never';

/** A server that takes webhooks: tells of each alert in them, and answers as `fate` says. */
export async function takeWebhooks(
  { take, fate = () => 200 }: { take: (path: string, alerts: HookedAlert[]) => void; fate?: (path: string) => Fate },
  cleanup: Cleanup,
): Promise<string> {
  const receive = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '/';
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = fate(path);
      if (answer === 'never') return;
      response.writeHead(answer, { 'content-length': 0 }).end();
      const { alerts } = JSON.parse(Buffer.concat(chunks).toString()) as { alerts: HookedAlert[] };
      if (answer < 300) take(path, alerts);
    });
  };
  const server = createServer({ keepAliveTimeout: 60_000 }, receive);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add('the receiver of webhooks', () => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
