import { parseGoDuration } from './duration.js';
import { httpConfig } from './http-schema.js';
import { checkUrl, httpSettings } from './http-settings.js';
import type { HttpSettings, Own, PagerdutyIntegration } from './integration.js';
import { type LoadContext, secretOf } from './load-context.js';
import { Secret, SECRET_TOKEN } from './secret.js';
import { holdsPlaceholder, parseTemplate, type Template, template } from './template.js';
import { boolean, list, parsed, type Reader, record, secret, struct, type Struct, text } from './yaml-reader.js';

/** The key of the first Events API, whose events have another form. Its value is a secret all the same. */
const v1Key: Reader<never> = (cursor) => {
  secret(cursor);
  const name = cursor.path.split('.').at(-1);
  return cursor.fault(
    `not supported: ${name} (Events API v1); use routing_key, the key of an Events API v2 integration`,
  );
};

/** One of `pagerduty_configs`. */
export const pagerdutyConfig = struct({
  send_resolved: boolean,
  http_config: httpConfig,
  timeout: parsed(parseGoDuration),
  routing_key: secret,
  routing_key_file: text,
  service_key: v1Key,
  service_key_file: v1Key,
  url: text,
  client: template,
  client_url: template,
  description: template,
  severity: template,
  source: template,
  class: template,
  component: template,
  group: template,
  details: record(template),
  images: list(struct({ src: template, alt: template, href: template })),
  links: list(struct({ href: template, text: template })),
});
type PagerdutyConfig = NonNullable<ReturnType<typeof pagerdutyConfig>>;

/** What `global` says about PagerDuty. */
export const pagerdutyGlobal = { pagerduty_url: text };
type PagerdutyGlobal = Struct<typeof pagerdutyGlobal> | undefined;

const URL_V2 = 'https://events.pagerduty.com/v2/enqueue';
const SEVERITIES = ['critical', 'error', 'warning', 'info'];

/** Sent with each event, each unless the file has one of its name. */
const DETAILS: Readonly<Record<string, Template>> = {
  firing: parseTemplate('{list.firing}'),
  resolved: parseTemplate('{list.resolved}'),
  num_firing: parseTemplate('{alerts.firing}'),
  num_resolved: parseTemplate('{alerts.resolved}'),
};

/** What a PagerDuty integration needs, with what `global` gives it. */
export function pagerdutySettings(
  context: LoadContext,
  config: PagerdutyConfig,
  global: PagerdutyGlobal,
  globalHttp: HttpSettings,
): Own<PagerdutyIntegration> {
  const { severity = 'error', client = 'Eyrie' } = config;
  if (typeof severity === 'string' && !SEVERITIES.includes(severity)) {
    context.fault(`"${severity}" is not a severity: ${SEVERITIES.join(', ')}`, config.at('severity'));
  }
  return {
    sendResolved: config.send_resolved ?? true,
    url: urlOf(context, config, global),
    routingKey: routingKey(context, config),
    ...(config.timeout && { timeoutMs: config.timeout }),
    http: config.http_config ? httpSettings(context, config.http_config) : globalHttp,
    client,
    clientUrl: config.client_url ?? parseTemplate('{externalURL}'),
    description: config.description ?? parseTemplate('{title}'),
    source: config.source || client,
    severity,
    class: config.class ?? '',
    component: config.component ?? '',
    group: config.group ?? '',
    details: { ...DETAILS, ...Object.fromEntries(config.details ?? []) },
    images: (config.images ?? []).map(({ src = '', alt = '', href = '' }) => ({ src, alt, href })),
    links: (config.links ?? []).map(({ href = '', text: label = '' }) => ({ href, text: label })),
  };
}

function urlOf(context: LoadContext, config: PagerdutyConfig, global: PagerdutyGlobal): Secret {
  const url = config.url || global?.pagerduty_url || URL_V2;
  const place = config.url || !global ? config.at('url') : global.at('pagerduty_url');
  checkUrl(context, url, place);
  return new Secret(url);
}

function routingKey(context: LoadContext, config: PagerdutyConfig): Secret {
  const { routing_key: inline, routing_key_file: file } = config;
  const place = config.at(file ? 'routing_key_file' : 'routing_key');
  if (inline?.reveal() && file) {
    context.fault('at most one of routing_key and routing_key_file must be configured', place);
  }
  const key = secretOf(context, inline, file, place);
  const elsewhere = (['routing_key', 'service_key', 'service_key_file'] as const).some((name) => config.has(name));
  if (!key && !file && (!elsewhere || inline)) context.fault('missing routing key in PagerDuty config', place);
  if (key?.reveal() === SECRET_TOKEN) context.fault('the key itself is missing: <secret> only stands for one', place);
  if (key?.reveal().includes('{{')) context.fault("not supported yet: templates in Go's language", place);
  if (holdsPlaceholder(key?.reveal() ?? '')) context.fault('not supported here: placeholders', place);
  return key ?? new Secret('');
}
