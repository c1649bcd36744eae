import * as z from 'zod';
import { NAME_LABEL, SEVERITY_LABEL } from '../alert.js';
import { limits } from './limits.js';
import { textFault } from './postable-alerts.js';

const text = (maxLength: number) =>
  z
    .string()
    .min(1)
    .superRefine((value, context) => {
      const fault = textFault(value, maxLength);
      if (fault) context.addIssue({ code: 'custom', message: fault });
    });

const texts = (maxEntries: number, maxLength: number) =>
  z
    .record(text(limits.nameLength), text(maxLength))
    .refine((value) => Object.keys(value).length <= maxEntries, `holds more than ${maxEntries} entries`);

export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** An alert as `POST /api/v1/alerts` and {@link AlertsService.trigger} take it. */
export const alertRequest = z
  .strictObject({
    name: text(limits.alertnameLength).describe('What is wrong, such as "DiskFull"; becomes the label alertname.'),
    severity: z.enum(severities).default('medium').describe('Becomes the label severity.'),
    message: text(limits.annotationLength)
      .optional()
      .describe('What a person should read; becomes the annotation summary.'),
    labels: texts(limits.labels - 2, limits.labelValueLength)
      .default({})
      .describe('With name and severity they are the identity of the alert: the same labels are the same alert.'),
    details: texts(limits.annotations - 1, limits.annotationLength)
      .default({})
      .describe('Further annotations. They may change without making it another alert.'),
    generatorURL: text(limits.urlLength).optional().describe('Where to look.'),
    startsAt: z.iso.datetime({ offset: true }).optional().describe('Default: now.'),
    endsAt: z.iso
      .datetime({ offset: true })
      .optional()
      .describe('When it is over unless sent again. Default: resolve_timeout from now. In the past: it is resolved.'),
  })
  .refine(({ labels }) => !(NAME_LABEL in labels) && !(SEVERITY_LABEL in labels), {
    path: ['labels'],
    message: `must not hold ${NAME_LABEL} or ${SEVERITY_LABEL}: give them as name and severity`,
  })
  .refine(({ details }) => !('summary' in details), {
    path: ['details'],
    message: 'must not hold summary: give it as message',
  });

export type AlertRequest = z.input<typeof alertRequest>;

/** One alert or several in one request: all are stored, or none. */
export const alertRequests = z.union([alertRequest, z.array(alertRequest).min(1).max(limits.alertsPerRequest)]);

/** Alertmanager's form of it. */
export function toPostableAlert(request: z.output<typeof alertRequest>): Record<string, unknown> {
  const { name, severity, message, labels, details, ...times } = request;
  return {
    ...times,
    labels: { ...labels, [NAME_LABEL]: name, [SEVERITY_LABEL]: severity },
    annotations: { ...details, ...(message && { summary: message }) },
  };
}
