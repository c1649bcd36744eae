import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AlertStatus, Delivery } from './facts.ts';

/** The label that carries an alert's own name through the hub. */
export const ID_LABEL = 'chaos_id';

/** A webhook request, read to its end. The alert of a heartbeat goes by the heartbeat's name. */
export async function readDelivery(request: IncomingMessage): Promise<Delivery> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const { alerts } = JSON.parse(body.toString()) as {
    alerts: { status: AlertStatus; labels: Record<string, string> }[];
  };
  return {
    at: Date.now(),
    path: request.url ?? '/',
    key: String(request.headers['idempotency-key'] ?? ''),
    bodyHash: createHash('sha1').update(body).digest('hex'),
    alerts: alerts.map(({ status, labels }) => ({
      id: labels[ID_LABEL] ?? labels.heartbeat ?? 'without an id',
      status,
    })),
  };
}
