import { parseDuration } from 'eyrie/alerts';
import { textFault } from 'eyrie/server';
import * as z from 'zod';
import { pageLimit, queryText } from '../alerts/alerts.schemas.js';

const MAX_TEXT = 16_384;

const text = z
  .string()
  .trim()
  .min(1)
  .max(MAX_TEXT)
  .superRefine((value, context) => {
    const fault = textFault(value);
    if (fault) context.addIssue({ code: 'custom', message: fault });
  })
  .describe('What colleagues should know.');

/** A body that may be left out. */
export const note = z.strictObject({ text: text.optional() });
export const optionalNote = note.nullish().transform((body) => body ?? {});

export const comment = z.strictObject({ text });

const span = z.string().transform((value, context) => {
  try {
    return parseDuration(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

export const snooze = z
  .strictObject({
    for: span.optional().describe('How long from now, such as "8h"; at most a year.'),
    until: z.iso
      .datetime({ offset: true })
      .nullable()
      .optional()
      .describe('Instead: until when. Null ends a snooze now.'),
    text: text.optional(),
  })
  .refine((body) => (body.for === undefined) !== (body.until === undefined), {
    path: ['until'],
    message: 'say either for or until',
  });

export const alertAttention = z.object({
  id: z.uuid(),
  state: z.enum(['firing', 'resolved']),
  acknowledgedBy: z.string().nullable().describe('`user:…` or `key:…`; null: nobody takes care.'),
  acknowledgedAt: z.iso.datetime().nullable(),
  snoozedUntil: z.iso.datetime().nullable(),
});

export const auditQuery = z.strictObject({
  actor: queryText.optional(),
  subject: queryText.optional(),
  limit: pageLimit,
  cursor: z
    .string()
    .regex(/^\d{1,18}$/, 'the `next` of the page before')
    .optional(),
});

export const auditPage = z.object({
  entries: z.array(
    z.object({
      id: z.string(),
      at: z.iso.datetime(),
      actor: z.string().describe('`user:…` or `key:…`.'),
      address: z.string().nullable(),
      userAgent: z.string().nullable(),
      requestId: z.string().nullable().describe('The X-Request-ID of the request.'),
      action: z.string().describe('Such as `alert.acknowledged`, `heartbeat.declared`.'),
      subject: z.string().describe('`alert:<id>`, `heartbeat:<name>`.'),
      data: z.record(z.string(), z.unknown()).nullable(),
    }),
  ),
  next: z.string().optional(),
});
