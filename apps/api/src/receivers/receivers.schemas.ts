import { circuitStates } from 'eyrie/alerts';
import * as z from 'zod';

const time = z.iso.datetime().nullable();

export const receiverList = z.object({
  receivers: z.array(
    z.object({
      name: z.string(),
      integrations: z.array(
        z.object({
          integration: z.string().describe('Receiver, type and position, as notifications name it.'),
          type: z.enum(['webhook', 'email', 'slack', 'pagerduty']),
          target: z.string().describe('Host and port.'),
          circuit: z
            .enum(circuitStates)
            .describe('`open`: left alone, because it failed again and again; `half-open`: one notification may try.'),
          openUntil: time,
          lastSuccessAt: time,
          lastErrorAt: time,
          lastError: z.string().nullable(),
          consecutiveFailures: z.int(),
          notifications: z
            .object({ inFlight: z.int(), pending: z.int(), waiting: z.int(), dead: z.int() })
            .describe('At most five seconds old. In flight are those of the pending that a worker has in hand.'),
        }),
      ),
    }),
  ),
});

export const receiverListExample = {
  receivers: [
    {
      name: 'database-team',
      integrations: [
        {
          integration: 'database-team/webhook/0',
          type: 'webhook',
          target: 'hooks.example.org',
          circuit: 'open',
          openUntil: '2026-03-01T12:00:20.000Z',
          lastSuccessAt: '2026-03-01T11:40:00.000Z',
          lastErrorAt: '2026-03-01T12:00:09.000Z',
          lastError: 'webhook at hooks.example.org answered 503',
          consecutiveFailures: 5,
          notifications: { inFlight: 0, pending: 7, waiting: 2, dead: 0 },
        },
      ],
    },
  ],
};

export const testResults = z.object({
  results: z.array(
    z.object({
      integration: z.string(),
      outcome: z.enum(['delivered', 'failed', 'unanswered']),
      error: z.string().nullable(),
      durationMs: z.int().nullable(),
    }),
  ),
});

export const testResultsExample = {
  results: [
    { integration: 'database-team/webhook/0', outcome: 'delivered', error: null, durationMs: 41 },
    {
      integration: 'database-team/email/0',
      outcome: 'failed',
      error: 'mail server at smtp.example.org:587 refused the connection',
      durationMs: 3,
    },
  ],
};
