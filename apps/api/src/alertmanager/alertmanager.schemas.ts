import { Matcher } from 'eyrie/alerts';
import { z } from 'zod';
import { matcherFilter } from '../alerts/alerts.schemas.js';

const flag = z
  .enum(['true', 'false'])
  .default('true')
  .transform((value) => value === 'true');

/** A regular expression over the whole name, as in Alertmanager. */
const receiverPattern = z
  .string()
  .optional()
  .transform((pattern, context): Matcher | undefined => {
    try {
      return pattern === undefined ? undefined : new Matcher('receiver', '=~', pattern);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return undefined;
    }
  });

export const alertsQuery = z.object({
  filter: matcherFilter,
  receiver: receiverPattern,
  active: flag,
  silenced: flag,
  inhibited: flag,
  unprocessed: flag,
});

const texts = z.record(z.string(), z.string());

/** For the documentation: eyrie/alerts checks what comes in. */
export const postableAlert = z.object({
  labels: texts,
  annotations: texts.optional(),
  startsAt: z.iso.datetime().optional().describe('Default: now.'),
  endsAt: z.iso.datetime().optional().describe('Default: resolve_timeout from now.'),
  generatorURL: z.string().optional(),
});

export const postableAlerts = z.array(postableAlert);

export const postableExample = [
  {
    labels: { alertname: 'InstanceDown', instance: 'db-1:9100', severity: 'critical' },
    annotations: { summary: 'Instance db-1:9100 down' },
    generatorURL: 'http://prometheus:9090/graph?g0.expr=up+%3D%3D+0',
  },
];

export const gettableAlerts = z.array(
  z.object({
    labels: texts,
    annotations: texts,
    generatorURL: z.string(),
    startsAt: z.iso.datetime(),
    endsAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    fingerprint: z.string(),
    receivers: z.array(z.object({ name: z.string() })),
    status: z.object({
      state: z.enum(['active', 'suppressed']),
      silencedBy: z.array(z.string()),
      inhibitedBy: z.array(z.string()),
      mutedBy: z.array(z.string()),
    }),
  }),
);

export const status = z.object({
  cluster: z.object({ status: z.literal('disabled'), peers: z.array(z.unknown()) }),
  versionInfo: z.object({
    version: z.string(),
    revision: z.string(),
    branch: z.string(),
    buildUser: z.string(),
    buildDate: z.string(),
    goVersion: z.string(),
  }),
  config: z.object({ original: z.string().describe('Without secrets.') }),
  uptime: z.iso.datetime().describe('When this process started.'),
});
