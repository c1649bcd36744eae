import * as z from 'zod';
import { NAME_LABEL, SEVERITY_LABEL } from '../alert.js';
import { type Labels, parseDuration, parseMatchers } from '../config/index.js';
import { type AlertRequest, alertRequest, severities, type Severity } from '../intake/alert-request.js';
import { limits } from '../intake/limits.js';
import { textFault } from '../intake/postable-alerts.js';

/** The alert that a missing heartbeat raises, and the label that says which it is. */
export const HEARTBEAT_ALERT = 'HeartbeatMissing';
export const HEARTBEAT_LABEL = 'heartbeat';

const SHORTEST_PERIOD_MS = 1_000;
const LONGEST_MS = 366 * 86_400_000;
const MAX_MATCHERS = 32;
const MAX_MATCHER_LENGTH = 1_024;
const DEFAULT_GRACE = '1m';

const span = (shortestMs: number, shortest: string) =>
  z.string().superRefine((value, context) => {
    try {
      const ms = parseDuration(value);
      if (ms >= shortestMs && ms <= LONGEST_MS) return;
      context.addIssue({ code: 'custom', message: `must be between ${shortest} and 366d` });
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  });

const period = span(SHORTEST_PERIOD_MS, '1s').describe('How often it beats, such as "5m".');
const grace = span(0, '0s').describe('How much later than that a beat may come.');

const matcher = z
  .string()
  .max(MAX_MATCHER_LENGTH)
  .superRefine((value, context) => {
    try {
      const matchers = parseMatchers(value);
      const fault = matchers.length === 0 ? 'holds no matcher' : textFault(value, MAX_MATCHER_LENGTH);
      if (fault) context.addIssue({ code: 'custom', message: fault });
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  });

/** Such that it needs no quoting in a path, and is not longer than the server takes there. */
export const heartbeatName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.:-]{0,99}$/, 'has 1 to 100 letters, digits and _ . : -, the first a letter or digit');

/** A heartbeat as `PUT /api/v1/heartbeats/{name}` takes it. */
export const heartbeatRequest = z.strictObject({
  period,
  grace: grace.default(DEFAULT_GRACE),
  severity: z.enum(severities).default('critical').describe('Of the alert that a missing beat raises.'),
  labels: alertRequest.shape.labels
    .refine(
      (labels) => ![NAME_LABEL, SEVERITY_LABEL, HEARTBEAT_LABEL].some((name) => Object.hasOwn(labels, name)),
      `must not hold ${NAME_LABEL}, ${SEVERITY_LABEL} or ${HEARTBEAT_LABEL}`,
    )
    .refine((labels) => Object.keys(labels).length <= limits.labels - 3, 'holds too many entries')
    .describe('Further labels of that alert.'),
  message: alertRequest.shape.message.describe('What a person should read in that alert.'),
  matchers: z
    .array(matcher)
    .max(MAX_MATCHERS)
    .default([])
    .describe('Every firing alert that all of these match counts as a beat, such as `alertname="Watchdog"`.'),
});
export type HeartbeatRequest = z.output<typeof heartbeatRequest>;

/** What a beat may say of itself. */
export const beatRequest = z.strictObject({
  period: period.optional().describe('Makes a heartbeat that nobody has declared.'),
  grace: grace.optional(),
});
export type BeatRequest = z.output<typeof beatRequest>;

/** `waiting`: there was no beat yet, its time has not come. */
export const heartbeatStates = ['waiting', 'alive', 'missing'] as const;
export type HeartbeatState = (typeof heartbeatStates)[number];

/** A heartbeat and how it is. Times are RFC 3339. */
export interface HeartbeatView {
  name: string;
  period: string;
  grace: string;
  severity: Severity;
  labels: Labels;
  message: string | null;
  matchers: string[];
  /** By a person or program with the right to; else the first beat made it, and beats may change its period. */
  declared: boolean;
  state: HeartbeatState;
  createdAt: string;
  lastBeatAt: string | null;
  /** When the next beat is overdue; of a missing one: when it was. */
  deadline: string;
  missingSince: string | null;
}

/** The alert that says that no beat has come. Its start is the deadline: to say it again changes nothing. */
export function missingAlert(
  name: string,
  heartbeat: Pick<HeartbeatRequest, 'severity' | 'labels' | 'period' | 'grace'> & { message?: string | null },
): AlertRequest {
  const { severity, labels, period, grace, message } = heartbeat;
  return {
    name: HEARTBEAT_ALERT,
    severity,
    labels: { ...labels, [HEARTBEAT_LABEL]: name },
    message: message ?? `No beat of ${name}, which should come every ${period} and at most ${grace} late`,
  };
}
