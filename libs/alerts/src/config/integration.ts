import type { Secret } from './secret.js';
import type { Template } from './template.js';

interface IntegrationIdentity {
  /** `team-x/webhook/0`: receiver, type and position among those of its type. */
  readonly key: string;
  readonly receiver: string;
  readonly index: number;
  /** Whether a resolved alert is told too. */
  readonly sendResolved: boolean;
}

/** What an integration has besides its identity. */
export type Own<T> = Omit<T, keyof IntegrationIdentity | 'type'> & Pick<IntegrationIdentity, 'sendResolved'>;

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
  readonly headers: Readonly<Record<string, Template>>;
  /** Instead of our HTML; one that comes out empty leaves the message without. */
  readonly html?: Template;
  /** Instead of our plain text. */
  readonly text?: Template;
}

/** Of one message to Slack, named as its API names them. */
export type SlackTexts = Readonly<
  Record<
    | 'channel'
    | 'username'
    | 'icon_emoji'
    | 'icon_url'
    | 'message_text'
    | 'color'
    | 'title'
    | 'title_link'
    | 'pretext'
    | 'text'
    | 'fallback'
    | 'callback_id'
    | 'footer'
    | 'image_url'
    | 'thumb_url',
    Template
  >
>;

export interface SlackField {
  readonly title: Template;
  readonly value: Template;
  /** Whether it may stand beside another. */
  readonly short: boolean;
}

/** A button: a link if it has a `url`, else one that Slack reports to the app by its `name`. */
export interface SlackAction {
  readonly type: Template;
  readonly text: Template;
  readonly url?: Template;
  readonly style?: Template;
  readonly name?: Template;
  readonly value?: Template;
  readonly confirm?: Readonly<Partial<Record<'title' | 'text' | 'ok_text' | 'dismiss_text', Template>>>;
}

export interface SlackIntegration extends IntegrationIdentity {
  readonly type: 'slack';
  /** An incoming webhook, or `chat.postMessage` with a token in {@link http}. */
  readonly url: Secret;
  readonly timeoutMs?: number;
  readonly http: HttpSettings;
  readonly texts: SlackTexts;
  readonly fields: readonly SlackField[];
  readonly actions: readonly SlackAction[];
  /** The parts of the attachment in which Slack's markup has a meaning. */
  readonly mrkdwnIn: readonly string[];
  /** Whether `#channel` and `@user` in the text become links. */
  readonly linkNames: boolean;
}

export interface PagerdutyIntegration extends IntegrationIdentity {
  readonly type: 'pagerduty';
  /** Of the Events API v2. */
  readonly url: Secret;
  readonly routingKey: Secret;
  readonly timeoutMs?: number;
  readonly http: HttpSettings;
  readonly client: Template;
  readonly clientUrl: Template;
  /** The summary of the event. */
  readonly description: Template;
  readonly source: Template;
  readonly severity: Template;
  readonly class: Template;
  readonly component: Template;
  readonly group: Template;
  /** `custom_details`. */
  readonly details: Readonly<Record<string, Template>>;
  readonly images: readonly { readonly src: Template; readonly alt: Template; readonly href: Template }[];
  readonly links: readonly { readonly href: Template; readonly text: Template }[];
}

/** One way out of a receiver, with everything that its notifier needs. */
export type Integration = WebhookIntegration | EmailIntegration | SlackIntegration | PagerdutyIntegration;

/** A named set of integrations; one without any swallows its notifications, as in Alertmanager. */
export interface Receiver {
  readonly name: string;
  readonly integrations: readonly Integration[];
}
