import { checkUrl, httpSettings, tlsSettings } from './http-settings.js';
import type {
  EmailIntegration,
  HttpSettings,
  Integration,
  Own,
  Receiver,
  TlsSettings,
  WebhookIntegration,
} from './integration.js';
import { type LoadContext, secretOf } from './load-context.js';
import { pagerdutySettings } from './pagerduty.js';
import type { EmailConfig, GlobalConfig, ReceiverConfig, WebhookConfig } from './schema.js';
import { Secret } from './secret.js';
import { checkSlackGlobal, slackSettings } from './slack.js';
import type { Template } from './template.js';
import type { Place } from './yaml-document.js';

/** What `global` gives to integrations that do not say it themselves. */
interface Defaults {
  readonly global: GlobalConfig | undefined;
  readonly http: HttpSettings;
  readonly smtpTls: TlsSettings;
}

/** The receivers by name. A name that is missing or used twice is a fault. */
export function buildReceivers(
  context: LoadContext,
  configs: readonly ReceiverConfig[],
  global: GlobalConfig | undefined,
): Map<string, Receiver> {
  const http = httpSettings(context, global?.http_config);
  const defaults = { global, http, smtpTls: tlsSettings(context, global?.smtp_tls_config) };
  if (global?.smtp_auth_password?.reveal() && global.smtp_auth_password_file) {
    const place = global.at('smtp_auth_password_file');
    context.fault('at most one of smtp_auth_password and smtp_auth_password_file must be configured', place);
  }
  refuseIdentity(context, global?.smtp_auth_identity, global?.at('smtp_auth_identity'), 'smtp_auth_identity');
  checkSlackGlobal(context, global);

  const receivers = new Map<string, Receiver>();
  for (const config of configs) {
    const { name } = config;
    if (!name) context.fault('missing name in receiver', config.at('name'));
    else if (receivers.has(name)) context.fault(`receiver name "${name}" is not unique`, config.at('name'));
    receivers.set(name ?? '', { name: name ?? '', integrations: integrations(context, config, defaults) });
  }
  return receivers;
}

function integrations(context: LoadContext, config: ReceiverConfig, defaults: Defaults): Receiver['integrations'] {
  const { http, global } = defaults;
  return [
    ...each(config, 'webhook', config.webhook_configs, (one) => webhookSettings(context, one, defaults)),
    ...each(config, 'email', config.email_configs, (one) => emailSettings(context, one, defaults)),
    ...each(config, 'slack', config.slack_configs, (one) => slackSettings(context, one, global, http)),
    ...each(config, 'pagerduty', config.pagerduty_configs, (one) => pagerdutySettings(context, one, global, http)),
  ];
}

/** The integrations of one type, which their position tells apart. */
function each<T extends Integration['type'], C, S>(
  { name: receiver = '' }: ReceiverConfig,
  type: T,
  configs: readonly C[] = [],
  settings: (config: C) => S,
) {
  return configs.map((config, index) => ({
    ...{ key: `${receiver}/${type}/${index}`, receiver, index, type },
    ...settings(config),
  }));
}

function webhookSettings(context: LoadContext, config: WebhookConfig, { http }: Defaults): Own<WebhookIntegration> {
  const given = [config.url?.reveal() && 'url', config.url_file && 'url_file'].filter(Boolean);
  const broken = config.has('url') && config.url === undefined;
  if (given.length === 2) context.fault('at most one of url and url_file must be configured', config.at('url_file'));
  if (given.length === 0 && !broken) context.fault('one of url or url_file must be configured', config.at('url'));
  const place = config.at(config.url_file ? 'url_file' : 'url');
  const url = secretOf(context, config.url, config.url_file, place);
  if (url) checkUrl(context, url.reveal(), place);
  return {
    sendResolved: config.send_resolved ?? true,
    url: url ?? new Secret(''),
    maxAlerts: config.max_alerts ?? 0,
    ...(config.timeout && { timeoutMs: config.timeout }),
    http: config.http_config ? httpSettings(context, config.http_config) : http,
  };
}

function emailSettings(
  context: LoadContext,
  config: EmailConfig,
  { global, smtpTls }: Defaults,
): Own<EmailIntegration> {
  if (!config.to) context.fault('missing to address in email config', config.at('to'));
  const from = config.from || global?.smtp_from;
  if (!from) context.fault('no from address: set from, or smtp_from in global', config.at('from'));
  const to = splitAddresses(config.to ?? '');
  checkAddresses(context, to, config.at('to'));
  const fromPlace = config.from ? config.at('from') : global?.at('smtp_from');
  if (from && fromPlace) checkAddresses(context, [from], fromPlace);
  refuseIdentity(context, config.auth_identity, config.at('auth_identity'), 'auth_identity');
  const auth = authOf(context, config, global);
  return {
    sendResolved: config.send_resolved ?? false,
    to,
    from: from ?? '',
    smarthost: smarthost(context, config, global),
    hello: config.hello || global?.smtp_hello || 'localhost',
    ...(auth && { auth }),
    requireTls: config.require_tls ?? global?.smtp_require_tls ?? true,
    tls: config.tls_config ? tlsSettings(context, config.tls_config) : smtpTls,
    headers: emailHeaders(context, config),
    ...(config.html !== undefined && { html: config.html }),
    // Alertmanager's default is an empty text, of which a plain one beside the HTML is the better form.
    ...(config.text && { text: config.text }),
  };
}

/** Own password or password file, else the global ones; without a user name there is no authentication. */
function authOf(context: LoadContext, config: EmailConfig, global: GlobalConfig | undefined): EmailIntegration['auth'] {
  const { auth_password: password, auth_password_file: file } = config;
  const username = config.auth_username || global?.smtp_auth_username;
  if (password?.reveal() && file) {
    context.fault(
      'at most one of auth_password and auth_password_file must be configured',
      config.at('auth_password_file'),
    );
  }
  const secret =
    password?.reveal() || file || !global
      ? secretOf(context, password, file, config.at('auth_password_file'))
      : secretOf(
          context,
          global.smtp_auth_password,
          global.smtp_auth_password_file,
          global.at('smtp_auth_password_file'),
        );
  return username ? { username, password: secret ?? new Secret('') } : undefined;
}

function smarthost(
  context: LoadContext,
  config: EmailConfig,
  global: GlobalConfig | undefined,
): EmailIntegration['smarthost'] {
  const [given, place] = config.smarthost
    ? [config.smarthost, config.at('smarthost')]
    : [global?.smtp_smarthost, global?.at('smtp_smarthost') ?? config.at()];
  if (!given) {
    context.fault('no smarthost: set smarthost, or smtp_smarthost in global', config.at('smarthost'));
    return { host: '', port: 0 };
  }
  const found = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(given);
  const port = Number(found?.[3]);
  if (!found || port < 1 || port > 65535)
    context.fault(`"${given}" is not host:port, such as smtp.example.org:587`, place);
  return { host: found?.[1] || found?.[2] || 'localhost', port };
}

function emailHeaders(context: LoadContext, config: EmailConfig): Record<string, Template> {
  const seen = new Set<string>();
  const headers: [string, Template][] = [];
  for (const [name, { value, place }] of config.headers ?? []) {
    if (!/^[!-9;-~]+$/.test(name)) context.fault(`"${name}" is not a valid header name`, place);
    if ([value].flat().some((part) => typeof part === 'string' && /[\r\n\0]/.test(part)))
      context.fault(`header "${name}" must be one line`, place);
    if (seen.has(name.toLowerCase())) context.fault(`duplicate header "${name}" in email config`, place);
    seen.add(name.toLowerCase());
    headers.push([name, value]);
  }
  return Object.fromEntries(headers);
}

function refuseIdentity(
  context: LoadContext,
  identity: string | undefined,
  place: Place | undefined,
  name: string,
): void {
  if (identity && place) context.fault(`not supported yet: ${name}`, place);
}

function checkAddresses(context: LoadContext, addresses: readonly string[], place: Place): void {
  const wrong = addresses.find((address) => !address.includes('@'));
  if (wrong !== undefined) context.fault(`"${wrong}" is not an email address`, place);
}

/** At commas outside quotes, comments and angle brackets. */
function splitAddresses(text: string): string[] {
  const parts = text.match(/(?:"(?:[^"\\]|\\.)*"|<[^>]*>|\([^)]*\)|[^,])+/g) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}
