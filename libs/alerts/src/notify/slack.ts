import type { SlackIntegration, SlackTexts } from '../config/integration.js';
import type { Template } from '../config/template.js';
import { HttpPost, type Receipt } from './http-post.js';
import { type Escape, renderer } from './render-template.js';
import { truncate } from './truncate.js';
import type { Delivery, NotificationPayload, Notifier, NotifyOptions, NotifyRequest } from './types.js';

/** Of a title, as Alertmanager cuts it, and of each other text: Slack refuses a message of more than 40,000 in all. */
const longestTitle = 1024;
const longestText = 8000;
const longestField = 1024;

/** Errors of Slack's API that speak of the moment, not of the message. */
const notNow = new Set([
  ...['ratelimited', 'rate_limited', 'message_limit_exceeded', 'internal_error', 'fatal_error', 'rollup_error'],
  ...['service_unavailable', 'request_timeout', 'team_added_to_org'],
]);

/**
 * Posts notifications to Slack, as one attachment each: by an incoming webhook, or as an app by `chat.postMessage`. Slack
 * has no idempotency key, so that a message whose answer was lost may be seen twice.
 */
export class SlackNotifier implements Notifier {
  private readonly post: HttpPost;

  constructor(
    private readonly integration: SlackIntegration,
    options: NotifyOptions,
  ) {
    this.post = new HttpPost('Slack', integration, options, { confirm: (receipt) => this.confirm(receipt) });
  }

  notify({ payload, signal }: NotifyRequest): Promise<Delivery> {
    const body = JSON.stringify(slackMessage(this.integration, payload));
    return this.post.send({ body, headers: { 'content-type': 'application/json; charset=utf-8' }, signal });
  }

  close(): Promise<void> {
    return this.post.close();
  }

  /** A webhook says `ok`, the API `{"ok": true}`; with a status of 200 it also says what went wrong. */
  private confirm({ statusCode, text, retryAfterMs }: Receipt): Delivery {
    const answer = apiAnswer(text);
    if (answer ? answer.ok === true : text.trim() === 'ok') return { outcome: 'delivered', statusCode };
    const reason = typeof answer?.error === 'string' ? answer.error : text.trim();
    const error = `${this.post.target} refused the message: ${this.post.excerpt(reason) || 'it does not say why'}`;
    if (!notNow.has(reason)) return { outcome: 'final', error, statusCode };
    return { outcome: 'recoverable', error, statusCode, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
}

function apiAnswer(text: string): { ok?: unknown; error?: unknown } | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? answer : undefined;
  } catch {
    // A long answer of success is cut off before its end; how it begins says enough.
    return /^\s*\{\s*"ok"\s*:\s*true\s*,/.test(text) ? { ok: true } : undefined;
  }
}

/** The message in the form that both of Slack's ways take. What is empty is left out. */
export function slackMessage(integration: SlackIntegration, payload: NotificationPayload): object {
  const { texts, fields, actions, mrkdwnIn, linkNames } = integration;
  const marked = renderer(payload, escapeMarkup);
  const plain = renderer(payload);
  const text = (name: keyof SlackTexts, length = longestText) => cut(marked(texts[name]), length) || undefined;
  const value = (name: keyof SlackTexts) => plain(texts[name]) || undefined;
  const each = (parts: Readonly<Record<string, Template>>) =>
    Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, cut(marked(part), longestField)]));
  return {
    ...{ channel: value('channel'), username: value('username') },
    ...{ icon_emoji: value('icon_emoji'), icon_url: value('icon_url') },
    link_names: linkNames || undefined,
    text: text('message_text'),
    attachments: [
      {
        ...{ title: text('title', longestTitle), title_link: value('title_link') },
        ...{ pretext: text('pretext'), text: text('text'), fallback: text('fallback') },
        ...{ callback_id: value('callback_id'), footer: text('footer'), color: value('color') },
        ...{ image_url: value('image_url'), thumb_url: value('thumb_url') },
        fields: fields.length === 0 ? undefined : fields.map(({ short, ...parts }) => ({ ...each(parts), short })),
        actions:
          actions.length === 0
            ? undefined
            : actions.map(({ url, confirm, ...parts }) => ({
                ...each(parts),
                ...(url !== undefined && { url: plain(url) }),
                ...(confirm && { confirm: each(confirm) }),
              })),
        mrkdwn_in: mrkdwnIn,
      },
    ],
  };
}

/** The three characters that Slack's markup is made with; nothing else in a text can mention or link. */
const escapeMarkup: Escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** Without half an escaped character at the end. */
function cut(text: string, length: number): string {
  const short = truncate(text, length);
  return short === text ? text : short.replace(/&[a-z]{0,3}…$/, '…');
}
