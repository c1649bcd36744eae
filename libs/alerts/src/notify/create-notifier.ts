import type { Integration } from '../config/integration.js';
import { EmailNotifier } from './email.js';
import type { Notifier, NotifyOptions } from './types.js';
import { WebhookNotifier } from './webhook.js';

/** The notifier for an integration. Keep it as long as its configuration stands: it keeps connections. */
export function createNotifier(integration: Integration, options: NotifyOptions): Notifier {
  return integration.type === 'webhook'
    ? new WebhookNotifier(integration, options)
    : new EmailNotifier(integration, options);
}
