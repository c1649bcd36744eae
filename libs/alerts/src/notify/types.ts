import type { Labels } from '../config/labels.js';

/** Names to values, like labels; no part of an alert's identity. */
export type Annotations = Labels;

/** One alert as a receiver sees it. Times are RFC 3339 texts. */
export interface AlertData {
  status: 'firing' | 'resolved';
  labels: Labels;
  annotations: Annotations;
  startsAt: string;
  /** `0001-01-01T00:00:00Z` while the alert fires: nobody knows its end yet. */
  endsAt: string;
  generatorURL: string;
  fingerprint: string;
}

/** Why a group is notified, in Alertmanager's words (0.32 and later). */
export type NotificationReason =
  | 'first notification'
  | 'new alerts added'
  | 'some alerts resolved'
  | 'all alerts resolved'
  | 'repeat interval elapsed';

/** A notification as receivers get it: Alertmanager's webhook payload, version 4. */
export interface NotificationPayload {
  receiver: string;
  status: 'firing' | 'resolved';
  alerts: AlertData[];
  groupLabels: Labels;
  commonLabels: Labels;
  commonAnnotations: Annotations;
  externalURL: string;
  version: '4';
  groupKey: string;
  truncatedAlerts: number;
  notification_reason?: NotificationReason;
}

/**
 * How an attempt ended. `recoverable`: another attempt may succeed, back off and try again. `final`: the same message
 * would be refused again, keep it as a dead letter. Error texts hold no secrets and are fit to be stored and shown.
 */
export type Delivery =
  | { outcome: 'delivered'; statusCode?: number; /** Whom of several it did not reach. */ error?: string }
  | {
      outcome: 'recoverable' | 'final';
      error: string;
      statusCode?: number;
      /** How long the receiver asked us to wait. */
      retryAfterMs?: number;
    };

/** One attempt to deliver one notification. */
export interface NotifyRequest {
  /** The same for each attempt: receivers recognise a repeat by it. */
  id: string;
  /** 1 for the first. */
  attempt: number;
  payload: NotificationPayload;
  /** The payload as it was stored: each attempt sends the same bytes. */
  body: string;
  /** Aborts the attempt; it then ends as recoverable. */
  signal: AbortSignal;
}

/** Sends notifications to one integration of one receiver. */
export interface Notifier {
  /** Never rejects: whatever goes wrong is told by the outcome. */
  notify(request: NotifyRequest): Promise<Delivery>;
  /** Closes the connections that were kept; attempts under way end first, within their time limit. */
  close(): Promise<void>;
}

/** What all notifiers of a process have in common. */
export interface NotifyOptions {
  /** Of the running program, for `User-Agent`. */
  version: string;
  /** Where people reach the hub; its host stands in the Message-ID of emails. */
  externalURL: string;
  /** The limit for a whole attempt, unless the integration has its own. */
  timeoutMs: number;
  /** The limit for a connection to be made, name look-up and TLS included. */
  connectTimeoutMs: number;
  /** Connections kept per integration, and so the attempts that run at once; others wait for their turn. */
  connections: number;
  /** Addresses that are not public and may be spoken to all the same: see `NOTIFY_ALLOW_PRIVATE`. */
  allowPrivate: readonly string[];
  /** Key of the HMAC under which webhooks are signed; without it they are not. */
  signingSecret?: string | undefined;
  /** A signal that aborts after so many milliseconds; tests hand in their own. */
  deadline?: ((ms: number) => AbortSignal) | undefined;
  /** Milliseconds since 1970; tests hand in their own. */
  now?: (() => number) | undefined;
}
