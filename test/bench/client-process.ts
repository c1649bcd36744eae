import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Cleanup } from '../harness/processes.ts';
import type { ClientReply, ClientRequest, IngestOrder, IngestResult, LatencyOrder, LatencyResult } from './orders.ts';

/** The load client as a process of its own, so that measuring does not share an event loop with anything else. */
export interface ClientProcess {
  receiverUrl: string;
  ingest(order: IngestOrder): Promise<IngestResult>;
  latency(order: LatencyOrder): Promise<LatencyResult>;
}

export async function startClient(cleanup: Cleanup): Promise<ClientProcess> {
  const child = fork(fileURLToPath(new URL('client.ts', import.meta.url)), { execArgv: [] });
  cleanup.add('load client', () => child.kill('SIGKILL'));
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  let requests = 0;

  const receiverPort = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => {
      const error = new Error(`the load client ended with status ${status}`);
      reject(error);
      for (const { reject: fail } of waiting.values()) fail(error);
    });
    child.on('message', (reply: ClientReply) => {
      if ('ready' in reply) return resolve(reply.ready.receiverPort);
      const waiter = waiting.get(reply.id);
      waiting.delete(reply.id);
      if ('error' in reply) waiter?.reject(new Error(reply.error));
      else waiter?.resolve(reply.result as never);
    });
  });

  const ask = <T>(request: Pick<ClientRequest, 'kind' | 'order'>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const id = ++requests;
      waiting.set(id, { resolve, reject });
      child.send({ id, ...request });
    });
  return {
    receiverUrl: `http://127.0.0.1:${receiverPort}`,
    ingest: (order) => ask({ kind: 'ingest', order }),
    latency: (order) => ask({ kind: 'latency', order }),
  };
}
