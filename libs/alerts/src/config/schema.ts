import { parseDuration, parseGoDuration } from './duration.js';
import { httpConfig, tlsConfig } from './http-schema.js';
import { CLASSIC_NAME } from './labels.js';
import { Matcher } from './matcher.js';
import { parseMatchers } from './matcher-parser.js';
import { pagerdutyConfig, pagerdutyGlobal } from './pagerduty.js';
import { slackConfig, slackGlobal } from './slack.js';
import { holdsPlaceholder, template, templateUnlessDefault } from './template.js';
import * as time from './time-interval.js';
import * as later from './unsupported.js';
import type { Cursor } from './yaml-document.js';
import {
  boolean,
  count,
  list,
  parsed,
  placed,
  type Reader,
  record,
  secret,
  struct,
  type Struct,
  text,
} from './yaml-reader.js';

/*
 * What the file may hold, field by field. Defaults, references between parts and secrets from files are the loader's.
 */

/** Text in which Alertmanager would expand a template, and we expand nothing: an address that holds one leads nowhere. */
const literal = parsed((value) => {
  if (value.includes('{{')) throw new Error("not supported yet: templates in Go's language");
  if (holdsPlaceholder(value)) throw new Error('not supported here: placeholders');
  return value;
});

const noTemplates: Reader<string[]> = (cursor) => {
  const files = list(text)(cursor);
  return files?.length ? cursor.fault("not supported yet: templates (in Go's language)") : files;
};

function positiveDuration(name: string): Reader<number> {
  return parsed((value) => {
    const ms = parseDuration(value);
    if (ms === 0) throw new Error(`${name} cannot be zero`);
    return ms;
  });
}

const labelName = parsed((name) => {
  if (name === '') throw new Error('invalid label name ""');
  return name;
});

/** The deprecated forms: one matcher for each label, whose name has to be a classic one. */
function matcherRecord(value: Reader<string>, make: (name: string, value: string) => Matcher): Reader<Matcher[]> {
  const entries = record(placed(value), (name) => {
    if (!CLASSIC_NAME.test(name)) throw new Error(`invalid label name "${name}"`);
  });
  return (cursor: Cursor) => {
    const matchers: Matcher[] = [];
    for (const [name, { value, place }] of entries(cursor) ?? []) {
      try {
        matchers.push(make(name, value));
      } catch (error) {
        cursor.fault((error as Error).message, place);
      }
    }
    return matchers;
  };
}

const regex: Reader<string> = (cursor) =>
  cursor.isNull() ? cursor.fault('expected a regular expression') : text(cursor);

const matchers: Reader<Matcher[]> = (cursor) => list(parsed(parseMatchers))(cursor)?.flat();
const match = matcherRecord(text, (name, value) => new Matcher(name, '=', value));
/** Anchored in the value itself, as in Alertmanager, whose route keys show it so. */
const matchRe = matcherRecord(regex, (name, value) => new Matcher(name, '=~', `^(?:${value})$`));

const webhookConfig = struct(
  {
    send_resolved: boolean,
    http_config: httpConfig,
    url: secret,
    url_file: text,
    max_alerts: count,
    timeout: parsed(parseGoDuration),
  },
  later.WEBHOOK,
);
export type WebhookConfig = NonNullable<ReturnType<typeof webhookConfig>>;

const emailConfig = struct(
  {
    send_resolved: boolean,
    to: literal,
    from: literal,
    hello: text,
    smarthost: text,
    auth_username: text,
    auth_password: secret,
    auth_password_file: text,
    auth_identity: text,
    require_tls: boolean,
    tls_config: tlsConfig,
    headers: record(placed(template)),
    html: templateUnlessDefault('email.default.html'),
    text: template,
  },
  later.EMAIL,
);
export type EmailConfig = NonNullable<ReturnType<typeof emailConfig>>;

const receiver = struct(
  {
    name: text,
    webhook_configs: list(webhookConfig),
    email_configs: list(emailConfig),
    slack_configs: list(slackConfig),
    pagerduty_configs: list(pagerdutyConfig),
  },
  later.RECEIVER,
);
export type ReceiverConfig = NonNullable<ReturnType<typeof receiver>>;

const globalConfig = struct(
  {
    resolve_timeout: parsed(parseDuration),
    http_config: httpConfig,
    smtp_from: literal,
    smtp_hello: text,
    smtp_smarthost: text,
    smtp_auth_username: text,
    smtp_auth_password: secret,
    smtp_auth_password_file: text,
    smtp_auth_identity: text,
    smtp_require_tls: boolean,
    smtp_tls_config: tlsConfig,
    ...slackGlobal,
    ...pagerdutyGlobal,
  },
  later.GLOBAL,
);
export type GlobalConfig = NonNullable<ReturnType<typeof globalConfig>>;

const routeFields = {
  receiver: text,
  group_by: list(labelName),
  match,
  match_re: matchRe,
  matchers,
  mute_time_intervals: list(placed(text)),
  active_time_intervals: list(placed(text)),
  continue: boolean,
  group_wait: parsed(parseDuration),
  group_interval: positiveDuration('group_interval'),
  repeat_interval: positiveDuration('repeat_interval'),
};
interface RouteFields extends Record<keyof typeof routeFields, Reader<unknown>> {
  routes: Reader<RouteConfig[]>;
}
export type RouteConfig = Struct<typeof routeFields & Pick<RouteFields, 'routes'>>;

const route: Reader<RouteConfig> = (cursor) =>
  cursor.isNull()
    ? cursor.fault('expected a route, found nothing')
    : struct({ ...routeFields, routes: list(route) })(cursor);

const inhibitRule = struct({
  name: text,
  source_match: match,
  source_match_re: matchRe,
  source_matchers: matchers,
  target_match: match,
  target_match_re: matchRe,
  target_matchers: matchers,
  equal: list(labelName),
});
export type InhibitRuleConfig = NonNullable<ReturnType<typeof inhibitRule>>;

const timeRange: Reader<time.TimeRange> = (cursor) => {
  const range = struct({ start_time: parsed(time.parseTimeOfDay), end_time: parsed(time.parseTimeOfDay) })(cursor);
  if (!range || (range.start_time === undefined) !== (range.end_time === undefined)) {
    return cursor.fault('both start and end times must be provided');
  }
  const { start_time: startMinute, end_time: endMinute } = range;
  if (startMinute === undefined || endMinute === undefined) return undefined;
  if (startMinute >= endMinute) return cursor.fault('start time cannot be equal or greater than end time');
  return { startMinute, endMinute };
};

const namedTimeIntervals = list(
  struct({
    name: text,
    time_intervals: list(
      struct({
        times: list(timeRange),
        weekdays: list(parsed(time.parseWeekdays)),
        days_of_month: list(parsed(time.parseDaysOfMonth)),
        months: list(parsed(time.parseMonths)),
        years: list(parsed(time.parseYears)),
        location: parsed(time.parseLocation),
      }),
    ),
  }),
);
export type TimeIntervalsConfig = NonNullable<ReturnType<typeof namedTimeIntervals>>;

/** The whole file. */
export const alertsConfig = struct(
  {
    global: globalConfig,
    route,
    inhibit_rules: list(inhibitRule),
    receivers: list(receiver),
    templates: noTemplates,
    time_intervals: namedTimeIntervals,
    mute_time_intervals: namedTimeIntervals,
  },
  later.TOP_LEVEL,
);
