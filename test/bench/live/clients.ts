/** Holds the WebSockets of the live case: a process of its own, driven by messages. */
import { WebSocket } from 'ws';
import type { ConnectOrder, LiveReply, LiveRequest } from './orders.ts';

/** Upgrades under way at once: a crowd at the door is another measurement. */
const AT_ONCE = 20;

let latencies: Record<string, number[]> = {};
let lost = 0;

async function connect({ urls, count, key }: ConnectOrder): Promise<void> {
  const open = async (first: number) => {
    for (let index = first; index < count; index += AT_ONCE) await follow(urls[index % urls.length]!, key);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, first) => open(first)));
}

/** Resolves when the server has said that events will follow. */
function follow(url: string, key: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, {
      headers: { authorization: `Bearer ${key}` },
      perMessageDeflate: false,
    });
    socket.on('open', () => socket.send('{"type":"subscribe"}'));
    socket.on('error', reject);
    socket.on('close', () => lost++);
    socket.on('message', (data: Buffer) => {
      const now = Date.now();
      const { type, at } = JSON.parse(data.toString()) as { type: string; at: string };
      if (type === 'hello') resolve();
      else if (type.includes('.')) (latencies[type] ??= []).push(now - Date.parse(at));
    });
  });
}

process.on('message', (request: LiveRequest) => {
  if ('connect' in request) {
    void connect(request.connect).then(() => tell({ connected: request.connect.count }));
    return;
  }
  tell({ received: { latencies, lost } });
  latencies = {};
});
process.on('disconnect', () => process.exit());

function tell(reply: LiveReply): void {
  process.send?.(reply);
}
