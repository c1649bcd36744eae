export { type BackoffSettings, type FailedAttempt, type NextAttempt, nextAttempt } from './backoff.js';
export { createNotifier } from './create-notifier.js';
export { type NotifyRate, rateOf } from './rate-limits.js';
export { notifySettings, type NotifySettings } from './notify.config.js';
export { type PayloadParts, renderPayload } from './payload.js';
export type {
  AlertData,
  Annotations,
  Delivery,
  NotificationPayload,
  NotificationReason,
  Notifier,
  NotifyOptions,
  NotifyRequest,
} from './types.js';
