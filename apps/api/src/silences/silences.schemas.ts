import {
  type MatchOperator,
  parseDuration,
  parseMatchers,
  type Silence,
  type SilenceState,
  silenceStates,
} from 'eyrie/alerts';
import * as z from 'zod';
import { matcherFilter, pageLimit } from '../alerts/alerts.schemas.js';

const matchers = z
  .array(z.string())
  .min(1)
  .transform((texts, context) =>
    texts.flatMap((text, index): { name: string; operator: MatchOperator; value: string }[] => {
      try {
        return parseMatchers(text);
      } catch (error) {
        context.addIssue({ code: 'custom', path: [index], message: (error as Error).message });
        return [];
      }
    }),
  );

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const duration = z.string().transform((text, context) => {
  try {
    return parseDuration(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

export const silenceRequest = z
  .strictObject({
    matchers: matchers.describe('All of them have to match, such as `instance="db-1:9100"` or `job=~"api|worker"`.'),
    startsAt: time.optional().describe('Default: now.'),
    endsAt: time.optional(),
    duration: duration.optional().describe('Instead of `endsAt`, from the start on, such as `2h` or `1d12h`.'),
    comment: z.string().min(1).describe('Why.'),
    annotations: z.record(z.string(), z.string()).optional(),
  })
  .superRefine(({ endsAt, duration }, context) => {
    if ((endsAt === undefined) === (duration === undefined)) {
      context.addIssue({ code: 'custom', path: ['endsAt'], message: 'Either this or `duration` is needed' });
    }
  });

export const silenceExample = {
  matchers: ['instance="db-1:9100"', 'severity!="critical"'],
  duration: '2h',
  comment: 'New disks',
};

export const silenceQuery = z.strictObject({
  filter: matcherFilter,
  state: z.enum(silenceStates).optional(),
  limit: pageLimit,
  cursor: z.uuid().optional(),
});

export const silenceView = z.object({
  id: z.uuid(),
  state: z.enum(silenceStates),
  matchers: z.array(z.string()),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  createdBy: z.string(),
  comment: z.string(),
  annotations: z.record(z.string(), z.string()),
  updatedAt: z.iso.datetime(),
});

export const silencePage = z.object({ silences: z.array(silenceView), next: z.uuid().optional() });

export const silenceDetails = silenceView.extend({
  events: z.array(
    z.object({
      id: z.string(),
      type: z.enum(['created', 'updated', 'expired']),
      at: z.iso.datetime(),
      actor: z.string(),
      address: z.string().nullable(),
      userAgent: z.string().nullable(),
      requestId: z.string().nullable(),
      data: z.record(z.string(), z.unknown()).describe('What the silence was from then on, and `before`.'),
    }),
  ),
});

const timeText = (at: number) => new Date(at).toISOString();

export function toSilenceView(silence: Silence, state: SilenceState): z.output<typeof silenceView> {
  return {
    id: silence.id,
    state,
    matchers: silence.matchers.map(String),
    startsAt: timeText(silence.startsAt),
    endsAt: timeText(silence.endsAt),
    createdBy: silence.createdBy,
    comment: silence.comment,
    annotations: silence.annotations,
    updatedAt: timeText(silence.updatedAt),
  };
}
