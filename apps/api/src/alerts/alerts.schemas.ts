import { type IntakeFault, type Matcher, parseMatchers } from 'eyrie/alerts';
import { textFault } from 'eyrie/server';
import * as z from 'zod';

/** A text of a query that may be compared with what is stored. */
export const queryText = z.string().superRefine((value, context) => {
  const fault = textFault(value);
  if (fault) context.addIssue({ code: 'custom', message: fault });
});

/** `filter=a="b"&filter=c=~"d"`: one parameter or several, one matcher or several in each. */
export const matcherFilter = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .transform((value, context): Matcher[] => {
    const texts = value === undefined ? [] : [value].flat();
    return texts.flatMap((text) => {
      try {
        const matchers = parseMatchers(text);
        const fault = matchers.map(({ value }) => textFault(value)).find(Boolean);
        if (fault) context.addIssue({ code: 'custom', message: `a matcher ${fault}` });
        return matchers;
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return [];
      }
    });
  });

export const pageLimit = z.coerce.number().int().min(1).max(1_000).default(100);

export const alertQuery = z.strictObject({
  filter: matcherFilter,
  state: z.enum(['firing', 'resolved']).optional(),
  severity: queryText.optional(),
  limit: pageLimit,
  cursor: z.uuid().optional(),
});

export const exportQuery = alertQuery.omit({ limit: true });

export const alertsSummary = z.object({
  alerts: z.array(z.object({ state: z.enum(['firing', 'resolved']), severity: z.string(), count: z.int() })),
  notifications: z.object({ waiting: z.int(), pending: z.int(), dead: z.int() }),
});

const texts = z.record(z.string(), z.string());

export const alertView = z.object({
  id: z.uuid(),
  fingerprint: z.string(),
  name: z.string(),
  severity: z.string(),
  state: z.enum(['firing', 'resolved']),
  labels: texts,
  annotations: texts,
  generatorURL: z.string(),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime(),
  occurrences: z.int(),
  acknowledgedBy: z.string().nullable(),
  acknowledgedAt: z.iso.datetime().nullable(),
  snoozedUntil: z.iso.datetime().nullable(),
});

export const alertPage = z.object({ alerts: z.array(alertView), next: z.uuid().optional() });

export const notificationView = z.object({
  id: z.uuid(),
  receiver: z.string(),
  integration: z.string(),
  state: z.enum(['waiting', 'pending', 'delivered', 'dead']),
  groupKey: z.string(),
  status: z.enum(['firing', 'resolved']),
  alerts: z.int(),
  attempts: z.int(),
  error: z.string().nullable(),
  createdAt: z.iso.datetime(),
  settledAt: z.iso.datetime().nullable(),
});

const event = z.object({
  id: z.string(),
  type: z.string(),
  at: z.iso.datetime(),
  actor: z.string(),
  data: z.record(z.string(), z.unknown()).nullable(),
});

export const alertDetails = alertView.extend({ events: z.array(event), notifications: z.array(notificationView) });

/** The faults of a body as members of a problem. */
export const listOf = (faults: readonly IntakeFault[]) => faults.map(({ pointer, detail }) => ({ pointer, detail }));
