import { labelValue } from '../config/labels.js';
import type { Placeholder, Template } from '../config/template.js';
import { listAlerts } from './alert-list.js';
import { titleOf } from './title.js';
import type { NotificationPayload } from './types.js';

/** Makes text from alerts harmless where it is put. */
export type Escape = (text: string) => string;

/**
 * A function that completes texts with what a notification says. What the alerts say goes through `escape`, what stands in
 * the configuration does not: its author may write the markup of the receiver.
 */
export function renderer(
  payload: NotificationPayload,
  escape: Escape = (text) => text,
): (template: Template) => string {
  const fill = (part: string | Placeholder) => {
    if (typeof part === 'string') return part;
    const value = valueOf(part, payload);
    return escape(part.upper ? value.toUpperCase() : value);
  };
  return (template) => (typeof template === 'string' ? template : template.map(fill).join(''));
}

function valueOf(placeholder: Placeholder, payload: NotificationPayload): string {
  const { alerts, status, commonLabels, groupLabels, commonAnnotations } = payload;
  const count = (wanted: string) => String(alerts.filter((alert) => alert.status === wanted).length);
  switch (placeholder.name) {
    case 'title':
      return titleOf(payload);
    case 'status':
      return status;
    case 'receiver':
      // The payload has it escaped as a regular expression.
      return payload.receiver.replace(/\\(.)/g, '$1');
    case 'externalURL':
      return payload.externalURL;
    case 'color':
      return status === 'firing' ? 'danger' : 'good';
    case 'alerts':
      return String(alerts.length);
    case 'alerts.firing':
      return count('firing');
    case 'alerts.resolved':
      return count('resolved');
    case 'list':
      return listAlerts(payload);
    case 'list.firing':
      return listAlerts(payload, 'firing');
    case 'list.resolved':
      return listAlerts(payload, 'resolved');
    case 'labels':
      return labelValue(commonLabels, placeholder.key);
    case 'groupLabels':
      return labelValue(groupLabels, placeholder.key);
    case 'annotations':
      return labelValue(commonAnnotations, placeholder.key);
  }
}
