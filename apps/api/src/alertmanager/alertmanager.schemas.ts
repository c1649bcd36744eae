import * as z from 'zod';

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

const receiverReference = z.object({ name: z.string() });

const gettableAlert = z.object({
  labels: texts,
  annotations: texts,
  generatorURL: z.string(),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  fingerprint: z.string(),
  receivers: z.array(receiverReference),
  status: z.object({
    state: z.enum(['active', 'suppressed']),
    silencedBy: z.array(z.string()),
    inhibitedBy: z.array(z.string()),
    mutedBy: z.array(z.string()),
  }),
});

export const gettableAlerts = z.array(gettableAlert);

export const alertGroups = z.array(
  z.object({ labels: texts, receiver: receiverReference, alerts: z.array(gettableAlert) }),
);

export const receiverList = z.array(receiverReference.extend({ labels: texts }));

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
