import { createHash } from 'node:crypto';
import type { PagerdutyIntegration } from '../config/integration.js';
import { HttpPost, type Receipt } from './http-post.js';
import { renderer } from './render-template.js';
import { titleOf } from './title.js';
import { truncate } from './truncate.js';
import type { Delivery, NotificationPayload, Notifier, NotifyOptions, NotifyRequest } from './types.js';

/** Of the summary; PagerDuty refuses a longer one. The same does for other short texts. */
const longestText = 1024;
/** Of an event in bytes; PagerDuty refuses a larger one. */
const largestEvent = 512_000;

/** PagerDuty knows four severities. Others that are customary count as what they mean, and all else as `error`. */
const severities: Readonly<Record<string, string>> = {
  ...{ critical: 'critical', error: 'error', warning: 'warning', info: 'info' },
  ...{ page: 'critical', high: 'error', medium: 'warning', low: 'info' },
};

/**
 * Sends notifications to PagerDuty's Events API v2. All events about one group have the same `dedup_key`: PagerDuty makes
 * one incident of them, which a repeat does not open again and the last one resolves.
 */
export class PagerdutyNotifier implements Notifier {
  private readonly post: HttpPost;

  constructor(
    private readonly integration: PagerdutyIntegration,
    options: NotifyOptions,
  ) {
    this.post = new HttpPost('PagerDuty', integration, options, {
      secrets: [integration.routingKey.reveal()],
      bodyIsSecret: true,
      confirm: (receipt) => this.confirm(receipt),
    });
  }

  notify({ payload, signal }: NotifyRequest): Promise<Delivery> {
    const body = encode(pagerdutyEvent(this.integration, payload));
    return this.post.send({ body, headers: { 'content-type': 'application/json' }, signal });
  }

  close(): Promise<void> {
    return this.post.close();
  }

  /** 202 says that the event was taken. Another 2xx says so only in PagerDuty's words: it may come from a proxy. */
  private confirm({ statusCode, text }: Receipt): Delivery {
    if (statusCode === 202 || /"status"\s*:\s*"success"/.test(text)) return { outcome: 'delivered', statusCode };
    const error = `${this.post.target} answered ${statusCode} instead of 202: ${this.post.excerpt(text)}`;
    return { outcome: 'recoverable', error, statusCode };
  }
}

/** The event that tells of a notification. What is empty is left out. */
export function pagerdutyEvent(integration: PagerdutyIntegration, payload: NotificationPayload): PagerdutyEvent {
  const render = renderer(payload);
  const text = (name: 'client' | 'source' | 'class' | 'component' | 'group' | 'description' | 'severity') =>
    truncate(render(integration[name]), longestText) || undefined;
  const details = Object.entries(integration.details).map(([name, template]) => [name, render(template)] as const);
  return {
    routing_key: integration.routingKey.reveal(),
    event_action: payload.status === 'firing' ? 'trigger' : 'resolve',
    dedup_key: createHash('sha256').update(payload.groupKey).digest('hex'),
    client: text('client'),
    client_url: render(integration.clientUrl) || undefined,
    payload: {
      summary: text('description') ?? titleOf(payload),
      source: text('source') ?? 'Eyrie',
      severity: severities[text('severity')?.trim().toLowerCase() ?? ''] ?? 'error',
      class: text('class'),
      component: text('component'),
      group: text('group'),
      custom_details: Object.fromEntries(details),
    },
    images: integration.images
      .map(({ src, alt, href }) => ({
        src: render(src),
        alt: render(alt) || undefined,
        href: render(href) || undefined,
      }))
      .filter(({ src }) => src !== ''),
    links: integration.links
      .map(({ href, text: label }) => ({ href: render(href), text: truncate(render(label), longestText) || undefined }))
      .filter(({ href }) => href !== ''),
  };
}

/** A request to `/v2/enqueue`. */
export interface PagerdutyEvent {
  routing_key: string;
  event_action: 'trigger' | 'resolve';
  dedup_key: string;
  client: string | undefined;
  client_url: string | undefined;
  payload: {
    summary: string;
    source: string;
    severity: string;
    class: string | undefined;
    component: string | undefined;
    group: string | undefined;
    custom_details: Record<string, string>;
  };
  images: { src: string; alt: string | undefined; href: string | undefined }[];
  links: { href: string; text: string | undefined }[];
}

/** Details that would make the event too large are left out, and the event says so: it is better than no page. */
function encode(event: PagerdutyEvent): string {
  const body = JSON.stringify(event);
  if (Buffer.byteLength(body) <= largestEvent) return body;
  const error = `The details are left out: with them the event is larger than the ${largestEvent} bytes that PagerDuty takes.`;
  return JSON.stringify({ ...event, payload: { ...event.payload, custom_details: { error } } });
}
