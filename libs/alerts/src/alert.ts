import { type Labels } from './config/index.js';

/** An alert as it comes in, checked and with Alertmanager's defaults filled in. Times are milliseconds since 1970. */
export interface IncomingAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly generatorUrl: string;
  readonly startsAt: number;
  readonly endsAt: number;
  /** The sender named no end: `endsAt` is `resolve_timeout` from now, and each re-send renews it. */
  readonly timeout: boolean;
  /** The sender named no start, so an end speaks of whatever episode is open. */
  readonly startUnknown: boolean;
}

export type AlertState = 'firing' | 'resolved';

/** The label that names an alert, and the one that grades it. */
export const NAME_LABEL = 'alertname';
export const SEVERITY_LABEL = 'severity';
