import { createHmac } from 'node:crypto';
import type { WebhookIntegration } from '../config/integration.js';
import { HttpPost } from './http-post.js';
import type { Delivery, Notifier, NotifyOptions, NotifyRequest } from './types.js';

/** Posts notifications to one webhook as they were stored, in Alertmanager's form. */
export class WebhookNotifier implements Notifier {
  private readonly post: HttpPost;

  constructor(
    integration: WebhookIntegration,
    private readonly options: NotifyOptions,
  ) {
    this.post = new HttpPost('webhook', integration, options);
  }

  notify({ id, attempt, body, signal }: NotifyRequest): Promise<Delivery> {
    const headers = {
      'content-type': 'application/json',
      'idempotency-key': id,
      'eyrie-attempt': String(attempt),
    };
    return this.post.send({ body, headers, proof: this.signature(body), signal });
  }

  close(): Promise<void> {
    return this.post.close();
  }

  /** Signs time and body together, so that a receiver can refuse an old message that somebody plays back. */
  private signature(body: string): Record<string, string> {
    const { signingSecret } = this.options;
    if (!signingSecret) return {};
    const time = Math.floor((this.options.now?.() ?? Date.now()) / 1000);
    const digest = createHmac('sha256', signingSecret).update(`${time}.${body}`).digest('hex');
    return { 'eyrie-signature': `t=${time},v1=${digest}` };
  }
}
