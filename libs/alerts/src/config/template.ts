import { parsed, type Reader } from './yaml-reader.js';

/** What may stand in braces alone: `{status}`. */
const PLAIN = [
  ...(['title', 'status', 'receiver', 'externalURL', 'color'] as const),
  ...(['alerts', 'alerts.firing', 'alerts.resolved'] as const),
  ...(['list', 'list.firing', 'list.resolved'] as const),
] as const;

/** What stands in braces with a name of the user's own: `{labels.alertname}`. */
const KEYED = ['labels', 'groupLabels', 'annotations'] as const;

/** A place in a text that each notification fills; docs/templates.md says with what. */
export type Placeholder = { readonly upper?: true } & (
  { readonly name: (typeof PLAIN)[number] } | { readonly name: (typeof KEYED)[number]; readonly key: string }
);

/** A text that notifications complete. One without placeholders is a string, which is sent as it is. */
export type Template = string | readonly (string | Placeholder)[];

/** `{name}` or `{name|upper}`, plain text to Go's templates; after a backslash it is plain text to us too. */
const BRACES = String.raw`(\\?)\{[ \t]*([A-Za-z]+(?:\.[^\s{}|]+)?)[ \t]*(?:\|[ \t]*(\w+)[ \t]*)?\}`;
/** Alertmanager's default color as it was long written out: three actions that mean one thing. */
const COLOR = String.raw`\{\{ ?if eq \.Status "firing" ?\}\}danger\{\{ ?else ?\}\}good\{\{ ?end ?\}\}`;
const TOKEN = new RegExp(String.raw`(${COLOR})|\{\{([^]*?)\}\}|(\{\{)|${BRACES}`, 'g');

/** Alertmanager's own templates mean our texts for the same purpose. */
const DEFAULTS: Readonly<Record<string, string>> = {
  ...{ __subject: '{title}', __alertmanager: 'Eyrie', __alertmanagerURL: '{externalURL}' },
  ...{ 'slack.default.title': '{title}', 'slack.default.titlelink': '{externalURL}', 'slack.default.text': '{list}' },
  ...{ 'slack.default.fallback': '{title} | {externalURL}', 'slack.default.color': '{color}' },
  ...{ 'slack.default.username': 'Eyrie', 'slack.default.pretext': '', 'slack.default.footer': '' },
  ...{ 'slack.default.iconemoji': '', 'slack.default.iconurl': '', 'slack.default.callbackid': '' },
  ...{ 'pagerduty.default.description': '{title}', 'pagerduty.default.client': 'Eyrie' },
  ...{ 'pagerduty.default.clientURL': '{externalURL}', 'email.default.subject': '{title}' },
};

/** Actions of Go's templates that mean exactly what a placeholder does. */
const ACTIONS: Readonly<Record<string, Placeholder>> = {
  ...{ '.Status': { name: 'status' }, '.Receiver': { name: 'receiver' }, '.ExternalURL': { name: 'externalURL' } },
  ...{ '.Alerts | len': { name: 'alerts' }, 'len .Alerts': { name: 'alerts' } },
  ...{ '.Alerts.Firing | len': { name: 'alerts.firing' }, 'len .Alerts.Firing': { name: 'alerts.firing' } },
  ...{ '.Alerts.Resolved | len': { name: 'alerts.resolved' }, 'len .Alerts.Resolved': { name: 'alerts.resolved' } },
  // What PagerDuty is told of the alerts by default, in both of Alertmanager's versions.
  ...{ 'template "pagerduty.default.instances" .Alerts.Firing': { name: 'list.firing' } },
  ...{ 'template "pagerduty.default.instances" .Alerts.Resolved': { name: 'list.resolved' } },
  ...{ '.Alerts.Firing | toJson': { name: 'list.firing' }, '.Alerts.Resolved | toJson': { name: 'list.resolved' } },
};

/** Maps, and what Go finds on them before it looks for a key. */
const MAPS = { CommonLabels: 'labels', GroupLabels: 'groupLabels', CommonAnnotations: 'annotations' } as const;
const METHODS = ['SortedPairs', 'Names', 'Values', 'Remove'];

/** How much of an action is repeated in a fault. */
const SHOWN = 60;

/**
 * Reads a text with placeholders, and those few forms of Go's template language that mean the same.
 *
 * @throws Error with what is not known
 */
export function parseTemplate(text: string): Template {
  const parts: (string | Placeholder)[] = [];
  let end = 0;
  for (const token of text.matchAll(TOKEN)) {
    const [whole, color, action, open, backslash, name, filter] = token;
    parts.push(text.slice(end, token.index));
    end = token.index + whole.length;
    if (open) throw unsupported(text.slice(token.index));
    if (color) parts.push({ name: 'color' });
    else if (action !== undefined) parts.push(...ofAction(whole, action));
    else parts.push(backslash ? whole.slice(1) : placeholder(whole, name!, filter));
  }
  parts.push(text.slice(end));
  const joined = joinTexts(parts);
  return joined.every((part) => typeof part === 'string') ? joined.join('') : joined;
}

/** Whether a text holds a placeholder that we know: for fields that take none. */
export function holdsPlaceholder(text: string): boolean {
  return [...text.matchAll(TOKEN)].some(([, , , , , name]) => name !== undefined && known(name) !== undefined);
}

/** Reads a field with placeholders. */
export const template: Reader<Template> = parsed(parseTemplate);

/** Reads a field whose default in Alertmanager is the template of that name: written out, it counts as absent. */
export function templateUnlessDefault(name: string): Reader<Template> {
  return parsed((text) => {
    const action = /^\s*\{\{([^]*)\}\}\s*$/.exec(text)?.[1];
    return action !== undefined && spaced(action) === `template "${name}" .` ? undefined : parseTemplate(text);
  }) as Reader<Template>;
}

function placeholder(whole: string, name: string, filter: string | undefined): Placeholder {
  const found = known(name);
  if (!found || (filter !== undefined && filter !== 'upper')) {
    const names = [...PLAIN, ...KEYED.map((each) => `${each}.NAME`)].join(', ');
    const what = found ? `filter in ${whole}: there is only upper` : `placeholder ${whole}: there are ${names}`;
    throw new Error(`unknown ${what}; a backslash before it makes it plain text`);
  }
  return filter ? { ...found, upper: true } : found;
}

function known(name: string): Placeholder | undefined {
  const plain = PLAIN.find((each) => each === name);
  if (plain) return { name: plain };
  const dot = name.indexOf('.');
  const keyed = KEYED.find((each) => each === name.slice(0, dot));
  return keyed && { name: keyed, key: name.slice(dot + 1) };
}

function ofAction(whole: string, action: string): readonly (string | Placeholder)[] {
  const piped = spaced(action);
  const upper = piped.endsWith(' | toUpper');
  const term = upper ? piped.slice(0, -' | toUpper'.length) : piped;
  const [, standard] = /^template "([^"]*)" \.$/.exec(term) ?? [];
  if (standard !== undefined && !upper && Object.hasOwn(DEFAULTS, standard)) {
    return [parseTemplate(DEFAULTS[standard]!)].flat();
  }
  const [, map, key] = /^\.(CommonLabels|GroupLabels|CommonAnnotations)\.([A-Za-z_]\w*)$/.exec(term) ?? [];
  const found =
    map && !METHODS.includes(key!)
      ? { name: MAPS[map as keyof typeof MAPS], key: key! }
      : Object.hasOwn(ACTIONS, term) && ACTIONS[term];
  if (!found) throw unsupported(whole);
  return [upper ? { ...found, upper } : found];
}

function unsupported(action: string): Error {
  const shown = action.length > SHOWN ? `${action.slice(0, SHOWN)}…` : action;
  return new Error(`not supported: ${spaced(shown)} (Go's template language); placeholders such as {status} are`);
}

/** With one space between words and around bars. */
function spaced(action: string): string {
  return action
    .replace(/\s*\|\s*/g, ' | ')
    .replace(/\s+/g, ' ')
    .trim();
}

function joinTexts(parts: readonly (string | Placeholder)[]): (string | Placeholder)[] {
  const joined: (string | Placeholder)[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part === 'string' && typeof last === 'string') joined[joined.length - 1] = last + part;
    else if (part !== '') joined.push(part);
  }
  return joined;
}
