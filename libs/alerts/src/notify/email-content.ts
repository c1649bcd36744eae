import type { EmailIntegration } from '../config/integration.js';
import type { Labels } from '../config/labels.js';
import { renderer } from './render-template.js';
import { sortedPairs, titleOf } from './title.js';
import type { AlertData, NotificationPayload } from './types.js';

/** What an email about a group of alerts says: plain text, HTML, or both. */
export interface EmailContent {
  subject: string;
  text?: string;
  html?: string;
}

/**
 * Renders subject, plain text and HTML. Everything that comes from alerts is escaped.
 *
 * @param own - what the configuration says instead; an HTML of its own goes without our text, which would say another thing
 */
export function renderEmail(
  payload: NotificationPayload,
  own: Pick<EmailIntegration, 'text' | 'html'> = {},
): EmailContent {
  const html = own.html === undefined ? htmlBody(payload) : renderer(payload, escapeLines)(own.html);
  const ownText = own.text === undefined ? '' : renderer(payload)(own.text);
  const text = ownText || (own.html === undefined || html === '' ? textBody(payload) : '');
  return { subject: titleOf(payload), ...(text && { text }), ...(html && { html }) };
}

/** The alerts under their headings, firing ones first. */
function sections({ alerts }: NotificationPayload): { title: string; alerts: AlertData[] }[] {
  const titled = (title: string, status: AlertData['status']) => {
    const matching = alerts.filter((alert) => alert.status === status);
    return { title: `${title} (${matching.length})`, alerts: matching };
  };
  return [titled('Firing', 'firing'), titled('Resolved', 'resolved')].filter((section) => section.alerts.length > 0);
}

function times(alert: AlertData): [string, string][] {
  const started: [string, string] = ['Started', alert.startsAt];
  return alert.status === 'firing' ? [started] : [started, ['Ended', alert.endsAt]];
}

function heading({ alerts, groupLabels, truncatedAlerts }: NotificationPayload): string {
  const group = sortedPairs(groupLabels).map(([name, value]) => `${name}=${value}`);
  const count = alerts.length + truncatedAlerts;
  return `${count} alert${count === 1 ? '' : 's'}${group.length > 0 ? ` for ${group.join(' ')}` : ''}`;
}

function textBody(payload: NotificationPayload): string {
  const pairs = (title: string, labels: Labels) => {
    const lines = sortedPairs(labels).map(([name, value]) => `  ${name} = ${value.replace(/\n/g, '\n    ')}`);
    return lines.length > 0 ? [`${title}:`, ...lines] : [];
  };
  const alertLines = (alert: AlertData) => [
    ...pairs('Labels', alert.labels),
    ...pairs('Annotations', alert.annotations),
    ...times(alert).map(([name, time]) => `${name}: ${time}`),
    ...(alert.generatorURL ? [`Source: ${alert.generatorURL}`] : []),
    '',
  ];
  const blocks = sections(payload).flatMap(({ title, alerts }) => [title, '', ...alerts.flatMap(alertLines)]);
  return [heading(payload), '', ...blocks, '-- ', `Sent by Eyrie ${payload.externalURL}`, ''].join('\n');
}

function htmlBody(payload: NotificationPayload): string {
  const pairs = (title: string, labels: Labels) => {
    const rows = sortedPairs(labels).map(
      ([name, value]) => `<tr><th>${escape(name)}</th><td>${escape(value)}</td></tr>`,
    );
    return rows.length > 0 ? `<h3>${title}</h3>\n<table>${rows.join('')}</table>\n` : '';
  };
  const block = (alert: AlertData) =>
    `<div class="alert ${alert.status}">\n` +
    pairs('Labels', alert.labels) +
    pairs('Annotations', alert.annotations) +
    `<p>${times(alert)
      .map(([name, time]) => `${name} ${escape(time)}`)
      .join(' · ')}${alert.generatorURL ? ` · ${link(alert.generatorURL, 'Source')}` : ''}</p>\n</div>\n`;
  const body = sections(payload).map(({ title, alerts }) => `<h2>${title}</h2>\n${alerts.map(block).join('')}`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(titleOf(payload))}</title><style>${style}</style></head>
<body>
<h1>${escape(heading(payload))}</h1>
${body.join('')}<p class="foot">Sent by ${link(payload.externalURL, 'Eyrie')}</p>
</body></html>
`;
}

const style = `body{font:14px/1.5 sans-serif;color:#222;max-width:640px;margin:1em auto}h1{font-size:18px}h2{font-size:16px}\
h3{font-size:13px;margin:.5em 0 0}th{text-align:left;font-weight:600;padding-right:1em;vertical-align:top}td{white-space:pre-wrap}\
.alert{border-left:4px solid #c62828;padding:0 1em;margin:1em 0}.resolved{border-color:#2e7d32}.foot{color:#777}`;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** For HTML of the configuration's own: what has lines keeps them. */
function escapeLines(text: string): string {
  return escape(text).replace(/\r?\n/g, '<br>\n');
}

/** A link to a web page; any other scheme (`javascript:`) stays plain text. */
function link(url: string, title: string): string {
  return /^https?:\/\//i.test(url) ? `<a href="${escape(url)}">${title}</a>` : escape(url);
}
