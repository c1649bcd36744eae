import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
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
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    void text(request).then((body) => {
      const path = request.url ?? '/';
      const answer = fate(path);
      if (answer === 'never') return;
      response.writeHead(answer, { 'content-length': 0 }).end();
      if (answer < 300) take(path, (JSON.parse(body) as { alerts: HookedAlert[] }).alerts);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add('the receiver of webhooks', () => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
