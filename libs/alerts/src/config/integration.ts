import type { Secret } from './secret.js';

interface IntegrationIdentity {
  /** `team-x/webhook/0`: receiver, type and position among those of its type. */
  readonly key: string;
  readonly receiver: string;
  readonly index: number;
  /** Whether a resolved alert is told too. */
  readonly sendResolved: boolean;
}

/** Named as in Node's `tls.ConnectionOptions`; PEM contents, already read. */
export interface TlsSettings {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: Secret;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

/** At most one of `authorization` and `basicAuth`. */
export interface HttpSettings {
  /** `Authorization: <type> <credentials>`. */
  readonly authorization?: { readonly type: string; readonly credentials: Secret };
  readonly basicAuth?: { readonly username: string; readonly password: Secret };
  /** Further headers, in the order of the file; a name may occur several times. */
  readonly headers: readonly { readonly name: string; readonly value: Secret }[];
  readonly tls: TlsSettings;
  readonly followRedirects: boolean;
}

export interface WebhookIntegration extends IntegrationIdentity {
  readonly type: 'webhook';
  /** A secret, because such URLs often carry a token. */
  readonly url: Secret;
  /** 0 is no limit. */
  readonly maxAlerts: number;
  /** Of one attempt; absent where the file sets none (or 0). */
  readonly timeoutMs?: number;
  readonly http: HttpSettings;
}

export interface EmailIntegration extends IntegrationIdentity {
  readonly type: 'email';
  /** Addresses, each with or without a display name. */
  readonly to: readonly string[];
  readonly from: string;
  readonly smarthost: { readonly host: string; readonly port: number };
  /** What we call ourselves in EHLO. */
  readonly hello: string;
  /** Absent: no authentication. */
  readonly auth?: { readonly username: string; readonly password: Secret };
  /** Without TLS (from the start on port 465, else by STARTTLS) nothing is sent. */
  readonly requireTls: boolean;
  readonly tls: TlsSettings;
  /** Message headers, which may replace `Subject`, `To` and `From`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One way out of a receiver, with everything that its notifier needs. */
export type Integration = WebhookIntegration | EmailIntegration;

/** A named set of integrations; one without any swallows its notifications, as in Alertmanager. */
export interface Receiver {
  readonly name: string;
  readonly integrations: readonly Integration[];
}
