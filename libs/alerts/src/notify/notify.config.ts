import * as z from 'zod';
import { defineSettings, duration, list, setting, type SettingsOf } from 'eyrie/config';
import { isAllowance } from './address-guard.js';
import { parseRateLimits } from './rate-limits.js';

function allowances() {
  return list().refine((entries) => entries.every(isAllowance), 'networks, hosts, all or none');
}

/** How notifications are sent, repeated and given up. */
export const notifySettings = defineSettings(
  {
    timeoutMs: setting('NOTIFY_TIMEOUT', duration({ min: '100ms', max: '5m' }).prefault('10s'), {
      description: 'Time limit of one attempt to deliver a notification; a webhook with a `timeout` has its own.',
    }),
    connectTimeoutMs: setting('NOTIFY_CONNECT_TIMEOUT', duration({ min: '100ms', max: '5m' }).prefault('5s'), {
      description: 'Time limit for a connection to a receiver to be made, name look-up and TLS included.',
    }),
    connections: setting('NOTIFY_CONNECTIONS', z.coerce.number().int().min(1).max(1000).default(8), {
      description: 'Connections kept per integration, which is also how many of its notifications are sent at once.',
    }),
    firstMs: setting('NOTIFY_RETRY_FIRST', duration({ min: '1ms' }).prefault('1s'), {
      description: 'Upper bound of the wait before the second attempt. Waits are random between 0 and their bound.',
    }),
    factor: setting('NOTIFY_RETRY_FACTOR', z.coerce.number().min(1).max(10).default(2), {
      description: 'By how much the bound grows from one attempt to the next.',
    }),
    maxMs: setting('NOTIFY_RETRY_MAX', duration({ min: '1ms' }).prefault('5m'), {
      description: 'The largest bound of the wait between two attempts.',
    }),
    retryAfterMaxMs: setting('NOTIFY_RETRY_AFTER_MAX', duration().prefault('1h'), {
      description: 'The longest `Retry-After` of a receiver that is honoured in full.',
    }),
    giveUpAfterMs: setting('NOTIFY_GIVE_UP_AFTER', duration().prefault('1d'), {
      description: 'How long a notification is tried before it becomes a dead letter, which can be replayed.',
    }),
    giveUpAttempts: setting('NOTIFY_GIVE_UP_ATTEMPTS', z.coerce.number().int().min(1).default(1_000), {
      description: 'How often a notification is tried before it becomes a dead letter.',
    }),
    perReceiver: setting('NOTIFY_PER_RECEIVER', z.coerce.number().int().min(1).max(1000).optional(), {
      description:
        'How many notifications of one integration a worker process has in hand at once, and never more than there are ' +
        'hands free for others; unset, a quarter of JOBS_CONCURRENCY.',
    }),
    rateLimits: setting('NOTIFY_RATE_LIMIT', z.string().transform(parseRateLimits).optional(), {
      description:
        'How fast notifications go out to each integration of a receiver, all workers together; what is above it waits. ' +
        'A rate for all, rates of single receivers, or both: `10/s burst 20, pager=6/m, console=off`.',
      example: '10/s burst 20',
    }),
    breakerFailures: setting('NOTIFY_BREAKER_FAILURES', z.coerce.number().int().min(0).max(1000).default(5), {
      description:
        'After so many faults in a row that may pass, an integration is left alone for a while, but for one notification ' +
        'now and then that tries whether it is back; 0 is never.',
    }),
    breakerPauseMs: setting('NOTIFY_BREAKER_PAUSE', duration({ min: '100ms' }).prefault('10s'), {
      description: 'How long it is left alone the first time; each further time twice as long.',
    }),
    breakerPauseMaxMs: setting('NOTIFY_BREAKER_PAUSE_MAX', duration({ min: '100ms' }).prefault('5m'), {
      description: 'The longest time for which an integration is left alone.',
    }),
    allowPrivate: setting('NOTIFY_ALLOW_PRIVATE', allowances().prefault('none'), {
      description:
        'Where notifications may go besides public addresses: networks (`10.1.0.0/16`), hosts (`relay.corp`, `*.corp`), ' +
        '`all` or `none`.',
      defaults: { development: 'all', test: 'all' },
    }),
    signingSecret: setting('WEBHOOK_SIGNING_SECRET', z.string().min(16).optional(), {
      description: 'Key of the HMAC-SHA256 in the `Eyrie-Signature` header of webhooks; unset, they are not signed.',
      secret: true,
    }),
  },
  {
    check: ({ firstMs, maxMs, breakerPauseMs, breakerPauseMaxMs }) => [
      ...(firstMs > maxMs ? [{ name: 'NOTIFY_RETRY_FIRST', wanted: 'at most NOTIFY_RETRY_MAX' }] : []),
      ...(breakerPauseMs > breakerPauseMaxMs
        ? [{ name: 'NOTIFY_BREAKER_PAUSE', wanted: 'at most NOTIFY_BREAKER_PAUSE_MAX' }]
        : []),
    ],
  },
);

export type NotifySettings = SettingsOf<typeof notifySettings>;
