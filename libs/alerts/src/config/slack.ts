import { parseGoDuration } from './duration.js';
import { httpConfig } from './http-schema.js';
import { checkUrl, httpSettings } from './http-settings.js';
import type { HttpSettings, Own, SlackAction, SlackField, SlackIntegration, SlackTexts } from './integration.js';
import { type LoadContext, secretOf } from './load-context.js';
import { Secret } from './secret.js';
import { parseTemplate, template } from './template.js';
import { boolean, list, parsed, type Reader, secret, struct, type Struct, text } from './yaml-reader.js';

/** Of a message for which the file does not say otherwise. */
const TEXTS = {
  ...{ channel: '', username: 'Eyrie', icon_emoji: '', icon_url: '', message_text: '' },
  ...{ color: parseTemplate('{color}'), title: parseTemplate('{title}'), title_link: parseTemplate('{externalURL}') },
  ...{ pretext: '', text: parseTemplate('{list}'), fallback: parseTemplate('{title} | {externalURL}') },
  ...{ callback_id: '', footer: '', image_url: '', thumb_url: '' },
} satisfies SlackTexts;

const texts = Object.fromEntries(Object.keys(TEXTS).map((name) => [name, template])) as Record<
  keyof SlackTexts,
  typeof template
>;

/** An option that would need what Slack answered to an earlier notification. */
const off: Reader<boolean> = (cursor) =>
  boolean(cursor) ? cursor.fault(`not supported yet: ${cursor.path.split('.').at(-1)}`) : false;

const action = struct({
  ...{ type: template, text: template, url: template, style: template, name: template, value: template },
  confirm: struct({ title: template, text: template, ok_text: template, dismiss_text: template }),
});

/** One of `slack_configs`. */
export const slackConfig = struct({
  send_resolved: boolean,
  http_config: httpConfig,
  timeout: parsed(parseGoDuration),
  api_url: secret,
  api_url_file: text,
  app_token: secret,
  app_token_file: text,
  app_url: text,
  ...texts,
  fields: list(struct({ title: template, value: template, short: boolean })),
  short_fields: boolean,
  actions: list(action),
  mrkdwn_in: list(text),
  link_names: boolean,
  update_message: off,
  post_updates_to_thread: off,
});
type SlackConfig = NonNullable<ReturnType<typeof slackConfig>>;
type ActionConfig = NonNullable<ReturnType<typeof action>>;

/** What `global` says about Slack. */
export const slackGlobal = {
  slack_api_url: secret,
  slack_api_url_file: text,
  slack_app_token: secret,
  slack_app_token_file: text,
  slack_app_url: text,
};
type SlackGlobal = Struct<typeof slackGlobal> | undefined;

const APP_URL = 'https://slack.com/api/chat.postMessage';

/** Where a message goes and what proves that it may. */
type Destination = Pick<SlackIntegration, 'url' | 'http'>;

/** What a Slack integration needs, with what `global` gives it. */
export function slackSettings(
  context: LoadContext,
  config: SlackConfig,
  global: SlackGlobal,
  globalHttp: HttpSettings,
): Own<SlackIntegration> {
  const destination = destinationOf(context, config, global, globalHttp);
  if (isApp(destination.url) && !config.channel) {
    context.fault('missing channel: without one chat.postMessage has nowhere to post to', config.at('channel'));
  }
  return {
    sendResolved: config.send_resolved ?? false,
    ...destination,
    ...(config.timeout && { timeoutMs: config.timeout }),
    texts: Object.fromEntries(
      Object.entries(TEXTS).map(([name, standard]) => [name, config[name as keyof SlackTexts] ?? standard]),
    ) as SlackTexts,
    fields: fieldsOf(context, config),
    actions: (config.actions ?? []).map((each) => actionOf(context, each)),
    mrkdwnIn: config.mrkdwn_in?.length ? config.mrkdwn_in : ['fallback', 'pretext', 'text'],
    linkNames: config.link_names ?? false,
  };
}

/** What Alertmanager refuses in `global`, whether an integration uses it or not. */
export function checkSlackGlobal(context: LoadContext, global: SlackGlobal): void {
  if (!global) return;
  const { slack_api_url: url, slack_api_url_file: urlFile, slack_app_token: token } = global;
  const tokenFile = global.slack_app_token_file;
  if (url?.reveal() && urlFile) {
    const message = 'at most one of slack_api_url and slack_api_url_file must be configured';
    context.fault(message, global.at('slack_api_url_file'));
  }
  if (token?.reveal() && tokenFile) {
    const message = 'at most one of slack_app_token and slack_app_token_file must be configured';
    context.fault(message, global.at('slack_app_token_file'));
  }
  const hasToken = token?.reveal() || tokenFile;
  if (hasToken && (urlFile || (url?.reveal() && url.reveal() !== (global.slack_app_url || APP_URL)))) {
    const message = 'at most one of slack_app_token(_file) and slack_api_url(_file) must be configured';
    context.fault(message, global.at(urlFile ? 'slack_api_url_file' : 'slack_api_url'));
  }
}

/**
 * An app by its token, or a URL: what the integration says itself comes first, and of what `global` says the token,
 * unless the integration has an `authorization` of its own.
 */
function destinationOf(
  context: LoadContext,
  config: SlackConfig,
  global: SlackGlobal,
  globalHttp: HttpSettings,
): Destination {
  const http = config.http_config ? httpSettings(context, config.http_config) : globalHttp;
  const hasUrl = Boolean(config.api_url?.reveal() || config.api_url_file);
  const hasToken = Boolean(config.app_token?.reveal() || config.app_token_file);
  if (hasUrl && hasToken) {
    const message = 'at most one of api_url(_file) and app_token(_file) must be configured';
    context.fault(message, config.at(config.app_token_file ? 'app_token_file' : 'app_token'));
  }
  if (hasUrl || config.has('api_url')) return { url: ownUrl(context, config), http };
  if (hasToken || config.has('app_token')) return app(context, config, global, http, ownToken(context, config));
  const globalToken = global?.slack_app_token?.reveal() || global?.slack_app_token_file;
  if (global && globalToken && !config.http_config?.authorization) {
    const place = global.at('slack_app_token_file');
    const token = secretOf(context, global.slack_app_token, global.slack_app_token_file, place);
    return app(context, config, global, http, token);
  }
  const place = global?.at(global.slack_api_url_file ? 'slack_api_url_file' : 'slack_api_url');
  const url = place && secretOf(context, global?.slack_api_url, global?.slack_api_url_file, place);
  if (url) checkUrl(context, url.reveal(), place);
  else if (!global?.has('slack_api_url') && !global?.slack_api_url_file) {
    context.fault(
      'no URL in slack_configs: set api_url, or slack_api_url in global, or an app token',
      config.at('api_url'),
    );
  }
  return { url: url ?? new Secret(''), http };
}

function ownUrl(context: LoadContext, config: SlackConfig): Secret {
  const place = config.at(config.api_url_file ? 'api_url_file' : 'api_url');
  if (config.api_url?.reveal() && config.api_url_file) {
    context.fault('at most one of api_url and api_url_file must be configured', place);
  }
  const url = secretOf(context, config.api_url, config.api_url_file, place);
  if (url) checkUrl(context, url.reveal(), place);
  return url ?? new Secret('');
}

function ownToken(context: LoadContext, config: SlackConfig): Secret | undefined {
  const place = config.at(config.app_token_file ? 'app_token_file' : 'app_token');
  if (config.app_token?.reveal() && config.app_token_file) {
    context.fault('at most one of app_token and app_token_file must be configured', place);
  }
  return secretOf(context, config.app_token, config.app_token_file, place);
}

function app(
  context: LoadContext,
  config: SlackConfig,
  global: SlackGlobal,
  http: HttpSettings,
  token: Secret | undefined,
): Destination {
  const place = config.app_url || !global?.slack_app_url ? config.at('app_url') : global.at('slack_app_url');
  const url = config.app_url || global?.slack_app_url || APP_URL;
  checkUrl(context, url, place);
  if (http.authorization || http.basicAuth) {
    context.fault("http_config must not authorise when an app token does: it is Slack's", config.at('http_config'));
  }
  if (token && !/^[\x21-\x7e]+$/.test(token.reveal())) {
    context.fault('an app token has no spaces, line ends or letters beyond ASCII', config.at('app_token'));
  }
  const authorization = { type: 'Bearer', credentials: token ?? new Secret('') };
  return { url: new Secret(url), http: { ...http, authorization } };
}

function isApp(url: Secret): boolean {
  return URL.parse(url.reveal())?.pathname.endsWith('/chat.postMessage') ?? false;
}

function fieldsOf(context: LoadContext, config: SlackConfig): SlackField[] {
  return (config.fields ?? []).map((field) => {
    for (const name of ['title', 'value'] as const) {
      if (!field[name] && !broken(field, name)) context.fault(`missing ${name} in Slack field`, field.at(name));
    }
    return {
      title: field.title ?? '',
      value: field.value ?? '',
      short: field.short ?? config.short_fields ?? false,
    };
  });
}

/** A button that is a link has no other effect: what would have one is left out, as in Alertmanager. */
function actionOf(context: LoadContext, config: ActionConfig): SlackAction {
  const { type = '', text: label = '', url, style, name, value, confirm } = config;
  for (const each of ['type', 'text'] as const) {
    if (!config[each] && !broken(config, each)) context.fault(`missing ${each} in Slack action`, config.at(each));
  }
  if (!url && !name && !broken(config, 'url')) context.fault('missing name or url in Slack action', config.at('name'));
  if (confirm && !confirm.text && !broken(confirm, 'text')) {
    context.fault('missing text in Slack confirmation', confirm.at('text'));
  }
  const common = { type, text: label, ...(style && { style }) };
  if (url) return { ...common, url };
  const { title, text: question, ok_text: ok, dismiss_text: dismiss } = confirm ?? {};
  return {
    ...common,
    ...(name && { name }),
    ...(value && { value }),
    ...(confirm && {
      confirm: {
        ...(title && { title }),
        ...(question && { text: question }),
        ...(ok && { ok_text: ok }),
        ...(dismiss && { dismiss_text: dismiss }),
      },
    }),
  };
}

/** There but not readable, which has been told already. */
function broken<F extends string>(
  config: { has(field: F): boolean } & { readonly [K in F]?: unknown },
  field: F,
): boolean {
  return config.has(field) && config[field] === undefined;
}
