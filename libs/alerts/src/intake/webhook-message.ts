import { FaultList } from './fault.js';
import { parseAlert, type IntakeContext, type ParsedAlerts } from './postable-alerts.js';
import { type IncomingAlert } from '../alert.js';
import { limits } from './limits.js';

/**
 * Reads the payload that Alertmanager's webhook integration sends, version 4: an upstream Alertmanager can notify the hub.
 * Its firing alerts have the zero time for an end; with `truncatedAlerts` the missing ones come with another message.
 */
export function parseWebhookMessage(body: unknown, context: IntakeContext): ParsedAlerts {
  const faults = new FaultList();
  const alerts: IncomingAlert[] = [];
  const message = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const list = message['alerts'];
  if (message['version'] !== '4') faults.add('/version', 'must be "4", the version of Alertmanager\'s webhook payload');
  else if (!Array.isArray(list)) faults.add('/alerts', 'must be an array of alerts');
  else if (list.length > limits.alertsPerRequest) {
    faults.add('/alerts', `holds ${list.length} alerts; ${limits.alertsPerRequest} are allowed in one request`);
  } else {
    for (let index = 0; index < list.length; index++) {
      const alert = parseAlert(list[index], `/alerts/${index}`, context, faults);
      if (alert) alerts.push(alert);
    }
  }
  return { alerts, faults: faults.faults };
}
