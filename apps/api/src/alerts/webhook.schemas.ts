import * as z from 'zod';
import { postableAlert } from '../alertmanager/alertmanager.schemas.js';

/** What is read of Alertmanager's webhook payload, version 4; the rest of it is ignored. */
export const webhookMessage = z.object({ version: z.literal('4'), alerts: z.array(postableAlert) });

export const webhookExample = {
  version: '4',
  receiver: 'eyrie',
  status: 'firing',
  alerts: [
    {
      status: 'firing',
      labels: { alertname: 'DiskFull', instance: 'db-1:9100', severity: 'critical' },
      annotations: { summary: '/var has 1 % left' },
      startsAt: '2026-01-31T12:00:00Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus:9090/graph',
    },
  ],
};
