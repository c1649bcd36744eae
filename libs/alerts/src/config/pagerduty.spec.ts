import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PagerdutyIntegration } from './integration.js';
import { type AlertsConfig, loadAlertsConfig, parseAlertsConfig } from './load.js';
import { parseTemplate } from './template.js';

const FIXTURES = fileURLToPath(new URL('../../../../test/fixtures/alertmanager/', import.meta.url));
const sample = () => loadAlertsConfig(join(FIXTURES, 'integrations.yml'));

function pagerdutyOf({ receivers }: AlertsConfig, name: string): PagerdutyIntegration {
  return receivers.get(name)!.integrations.find((each) => each.type === 'pagerduty')!;
}

const DETAILS = {
  firing: [{ name: 'list.firing' }],
  resolved: [{ name: 'list.resolved' }],
  num_firing: [{ name: 'alerts.firing' }],
  num_resolved: [{ name: 'alerts.resolved' }],
};

describe('pagerduty_configs', () => {
  it("H7: have Alertmanager's defaults, with our texts", async () => {
    const pagerduty = pagerdutyOf(await sample(), 'defaults');
    expect(pagerduty).toMatchObject({
      ...{ key: 'defaults/pagerduty/0', sendResolved: true, client: 'Eyrie', source: 'Eyrie', severity: 'error' },
      ...{ clientUrl: [{ name: 'externalURL' }], description: [{ name: 'title' }] },
      ...{ class: '', component: '', group: '', details: DETAILS, images: [], links: [] },
    });
    expect(pagerduty.routingKey.reveal()).toBe('planted-routing-key');
    expect(pagerduty.url.reveal()).toBe('https://events.eu.pagerduty.com/v2/enqueue');
    expect(pagerduty.http.headers[0]?.value.reveal()).toBe('berlin');
  });

  it('H7: go to the Events API v2 unless told otherwise', () => {
    const text = 'route: {receiver: a}\nreceivers: [{name: a, pagerduty_configs: [{routing_key: x}]}]';
    const { url } = pagerdutyOf(parseAlertsConfig(text, { baseDirectory: FIXTURES }), 'a');
    expect(url.reveal()).toBe('https://events.pagerduty.com/v2/enqueue');
  });

  it('H7: take every field', async () => {
    const pagerduty = pagerdutyOf(await sample(), 'pagerduty');
    expect(pagerduty.routingKey.reveal()).toBe('planted-file-token');
    expect(pagerduty.url.reveal()).toBe('https://pagerduty.example.org/v2/enqueue');
    expect(pagerduty.http.headers[0]?.value.reveal()).toBe('paris');
    expect(pagerduty).toMatchObject({
      ...{ sendResolved: false, timeoutMs: 5000, client: parseTemplate('Eyrie of {labels.cluster}') },
      ...{ description: parseTemplate('{annotations.summary}'), severity: parseTemplate('{labels.severity}') },
      ...{ source: parseTemplate('{labels.instance}'), class: parseTemplate('{labels.alertname}') },
      ...{ component: parseTemplate('{labels.job}'), group: parseTemplate('{labels.cluster}') },
      images: [{ src: 'https://example.org/graph.png', alt: 'graph', href: [{ name: 'externalURL' }] }],
      links: [{ href: parseTemplate('{annotations.runbook_url}'), text: 'Runbook' }],
    });
    expect(pagerduty.details).toEqual({
      ...DETAILS,
      ...{ resolved: '', runbook: parseTemplate('{annotations.runbook_url}') },
    });
  });

  it("H7: may write out Alertmanager's defaults", async () => {
    const pagerduty = pagerdutyOf(await sample(), 'written-out');
    expect(pagerduty).toMatchObject({ description: [{ name: 'title' }], details: DETAILS });
  });
});
