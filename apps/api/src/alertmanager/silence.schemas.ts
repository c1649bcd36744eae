import { type Silence, type SilenceRequest, type SilenceState } from 'eyrie/alerts';
import { Problem } from 'eyrie/server';
import * as z from 'zod';

const wording = (type: string) => ({
  error: ({ input }: { input?: unknown }) =>
    input === undefined || input === null ? 'is required' : `must be of type ${type}`,
});

const text = z.string(wording('string'));
const matcher = z.object(
  {
    isEqual: z.boolean(wording('boolean')).nullish().describe('Default: true.'),
    isRegex: z.boolean(wording('boolean')),
    name: text,
    value: text,
  },
  wording('object'),
);
const annotations = z.record(z.string(), text, wording('object'));

/** Alertmanager's `postableSilence`. Faults read as there: `comment in body is required`. */
export const postableSilence = z.object(
  {
    annotations: annotations.nullish(),
    comment: text,
    createdBy: text,
    endsAt: text.describe('RFC 3339.'),
    id: text.nullish().describe('Of the silence to change.'),
    matchers: z.array(matcher, wording('array')).min(1, 'should have at least 1 items'),
    startsAt: text.describe('RFC 3339. What has passed counts as now.'),
  },
  wording('object'),
);

export const postableSilenceExample = {
  matchers: [{ name: 'instance', value: 'db-1:9100', isRegex: false, isEqual: true }],
  startsAt: '2026-01-31T12:00:00Z',
  endsAt: '2099-01-31T14:00:00Z',
  createdBy: 'ann',
  comment: 'New disks',
};

export const postedSilence = z.object({ silenceID: z.uuid() });

export const gettableSilence = z.object({
  id: z.uuid(),
  status: z.object({ state: z.enum(['expired', 'active', 'pending']) }),
  updatedAt: z.iso.datetime(),
  annotations: z.record(z.string(), z.string()).optional(),
  comment: z.string(),
  createdBy: z.string(),
  endsAt: z.iso.datetime(),
  matchers: z.array(z.object({ isEqual: z.boolean(), isRegex: z.boolean(), name: z.string(), value: z.string() })),
  startsAt: z.iso.datetime(),
});

export const gettableSilences = z.array(gettableSilence);

const TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)?$/;
/** What Go takes an empty text for. */
const ZERO_TIME = Date.parse('0001-01-01T00:00:00Z');

/** Reads what was posted. @throws Problem 400 with every fault, in Alertmanager's words */
export function parseSilence(body: unknown): SilenceRequest {
  const result = postableSilence.safeParse(body);
  if (!result.success) {
    const faults = result.error.issues.map(({ path, message }) => `${path.join('.') || 'silence'} in body ${message}`);
    throw new Problem(400, 'invalid-silence', faults.join('; '));
  }
  const { annotations: given, comment, createdBy, id, matchers } = result.data;
  const startsAt = parseTime('startsAt', result.data.startsAt);
  return {
    ...{ comment, createdBy, id: id ?? undefined, annotations: given ?? {} },
    startsAt: startsAt === ZERO_TIME ? undefined : startsAt,
    endsAt: parseTime('endsAt', result.data.endsAt),
    matchers: matchers.map(({ name, value, isRegex, isEqual }) => ({
      ...{ name, value },
      operator: `${(isEqual ?? true) ? (isRegex ? '=~' : '=') : isRegex ? '!~' : '!='}` as const,
    })),
  };
}

function parseTime(name: string, value: string): number {
  if (value === '') return ZERO_TIME;
  const time = TIME.test(value) ? Date.parse(value) : NaN;
  if (!Number.isNaN(time)) return time;
  throw new Problem(400, 'invalid-silence', `${name} in body must be of type date-time: ${JSON.stringify(value)}`);
}

const timeText = (time: number) => new Date(time).toISOString();

export function toGettableSilence(silence: Silence, state: SilenceState): z.output<typeof gettableSilence> {
  return {
    id: silence.id,
    status: { state },
    updatedAt: timeText(silence.updatedAt),
    ...(Object.keys(silence.annotations).length > 0 && { annotations: silence.annotations }),
    comment: silence.comment,
    createdBy: silence.createdBy,
    endsAt: timeText(silence.endsAt),
    matchers: silence.matchers.map(({ isEqual, isRegex, name, value }) => ({ isEqual, isRegex, name, value })),
    startsAt: timeText(silence.startsAt),
  };
}
