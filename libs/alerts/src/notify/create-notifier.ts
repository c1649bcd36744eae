import type { Integration } from '../config/integration.js';
import { EmailNotifier } from './email.js';
import { PagerdutyNotifier } from './pagerduty.js';
import { SlackNotifier } from './slack.js';
import type { Notifier, NotifyOptions } from './types.js';
import { WebhookNotifier } from './webhook.js';

/** The notifier for an integration. Keep it as long as its configuration stands: it keeps connections. */
export function createNotifier(integration: Integration, options: NotifyOptions): Notifier {
  switch (integration.type) {
    case 'webhook':
      return new WebhookNotifier(integration, options);
    case 'email':
      return new EmailNotifier(integration, options);
    case 'slack':
      return new SlackNotifier(integration, options);
    case 'pagerduty':
      return new PagerdutyNotifier(integration, options);
  }
}
