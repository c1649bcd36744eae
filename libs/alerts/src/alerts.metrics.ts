import { counter, gauge, histogram } from 'eyrie/metrics';

export const alertsReceived = counter({
  name: 'alerts_received_total',
  help: 'Alerts that this process has committed, by what they said: firing or resolved. A re-sent one counts each time.',
  labels: ['status'],
});

export const ingestWaiting = gauge({
  name: 'alerts_ingest_waiting',
  help: 'Alerts that wait for their transaction; their clients wait for the answer.',
});

export const alertsActive = gauge({
  name: 'alerts_active',
  help: 'Alerts of the hub by state and severity. Beyond 20 severities, the rarest count as "other".',
  labels: ['state', 'severity'],
  aggregate: 'max',
});

export const notificationsHeld = gauge({
  name: 'alert_notifications_held',
  help: 'Notifications of the hub that are under way (waiting, pending) or given up (dead).',
  labels: ['state'],
  aggregate: 'max',
});

export const deliveryAttempts = counter({
  name: 'alert_notifications_total',
  help: 'Attempts to deliver a notification, by outcome: delivered, retried (a fault that may pass) or dead (given up).',
  labels: ['receiver', 'integration', 'outcome'],
});

export const attemptDuration = histogram({
  name: 'alert_notification_attempt_duration_seconds',
  help: 'How long receivers took to answer an attempt.',
  labels: ['receiver', 'integration'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
});

export const alertToDelivery = histogram({
  name: 'alert_delivery_latency_seconds',
  help: 'From the request that raised or resolved an alert to the delivery that told of it; group_wait is a part of it.',
  labels: ['receiver', 'integration'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600],
});

export const flushDuration = histogram({
  name: 'alert_flush_duration_seconds',
  help: 'How long the dispatcher took to decide on the groups that were due, in one transaction.',
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
});

export const groupsFlushed = counter({
  name: 'alert_groups_flushed_total',
  help: 'Groups that were due and were decided on.',
});

export const escalationSteps = counter({
  name: 'alert_escalation_steps_total',
  help: 'How often an escalation has told somebody because nobody had acknowledged an alert.',
  labels: ['escalation'],
});

export const heartbeatsMissed = counter({
  name: 'heartbeats_missed_total',
  help: 'Heartbeats whose time has passed without a beat; each has raised an alert.',
});

export const circuitState = gauge({
  name: 'receiver_circuit_state',
  help: 'Whether an integration is left alone because it failed again and again: 0 no, 1 one notification may try, 2 yes. The worst of a type.',
  labels: ['receiver', 'integration'],
  aggregate: 'max',
});

export const consecutiveFailures = gauge({
  name: 'receiver_consecutive_failures',
  help: 'Faults of an integration since it last gave an answer; most of a type.',
  labels: ['receiver', 'integration'],
  aggregate: 'max',
});

export const attemptsInFlight = gauge({
  name: 'receiver_attempts_in_flight',
  help: 'Attempts to deliver that are under way.',
  labels: ['receiver', 'integration'],
});

export const notificationsPostponed = counter({
  name: 'alert_notifications_postponed_total',
  help: 'Notifications that were put back before an attempt: circuit (left alone), rate (over its limit), share (too many at once).',
  labels: ['receiver', 'integration', 'reason'],
});
