import { beatRequest, heartbeatName, heartbeatStates, severities } from 'eyrie/alerts';
import * as z from 'zod';
import { pageLimit } from '../alerts/alerts.schemas.js';

/** A body that may be left out. */
export const beat = beatRequest.nullish().transform((body) => body ?? {});

export const heartbeatQuery = z.strictObject({ limit: pageLimit, cursor: heartbeatName.optional() });

export const heartbeatView = z.object({
  name: z.string(),
  period: z.string(),
  grace: z.string(),
  severity: z.enum(severities),
  labels: z.record(z.string(), z.string()),
  message: z.string().nullable(),
  matchers: z.array(z.string()),
  declared: z.boolean().describe('False: the first beat made it, and beats may change its period.'),
  state: z.enum(heartbeatStates),
  createdAt: z.iso.datetime(),
  lastBeatAt: z.iso.datetime().nullable(),
  deadline: z.iso.datetime().describe('When the next beat is overdue; of a missing one, when it was.'),
  missingSince: z.iso.datetime().nullable(),
});

export const heartbeatPage = z.object({ heartbeats: z.array(heartbeatView), next: z.string().optional() });
