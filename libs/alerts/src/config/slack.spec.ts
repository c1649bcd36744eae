import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import type { SlackIntegration } from './integration.js';
import { type AlertsConfig, loadAlertsConfig, parseAlertsConfig } from './load.js';
import { parseTemplate } from './template.js';

const FIXTURES = fileURLToPath(new URL('../../../../test/fixtures/alertmanager/', import.meta.url));
const sample = () => loadAlertsConfig(join(FIXTURES, 'integrations.yml'));

function slackOf({ receivers }: AlertsConfig, name: string): SlackIntegration[] {
  return receivers.get(name)!.integrations.filter((each) => each.type === 'slack');
}

/** Where a message would go, and by what authority. */
function destination(global: string, slack: string): [url: string, authorization: string | undefined] {
  const text = `global: {${global}}\nroute: {receiver: a}\nreceivers: [{name: a, slack_configs: [{channel: c, ${slack}}]}]`;
  const [{ url, http }] = slackOf(parseAlertsConfig(text, { baseDirectory: FIXTURES }), 'a') as [SlackIntegration];
  const { authorization } = http;
  return [url.reveal(), authorization && `${authorization.type} ${authorization.credentials.reveal()}`];
}

describe('slack_configs', () => {
  it("H7: have Alertmanager's defaults, with our texts", async () => {
    const [slack] = slackOf(await sample(), 'defaults') as [SlackIntegration];
    expect(slack).toMatchObject({
      ...{ key: 'defaults/slack/0', receiver: 'defaults', index: 0, sendResolved: false, linkNames: false },
      ...{ fields: [], actions: [], mrkdwnIn: ['fallback', 'pretext', 'text'] },
    });
    expect(slack.texts).toEqual({
      ...{ channel: '#alerts', username: 'Eyrie', icon_emoji: '', icon_url: '', message_text: '' },
      ...{ color: [{ name: 'color' }], title: [{ name: 'title' }], title_link: [{ name: 'externalURL' }] },
      ...{ pretext: '', text: [{ name: 'list' }], fallback: parseTemplate('{title} | {externalURL}') },
      ...{ callback_id: '', footer: '', image_url: '', thumb_url: '' },
    });
    expect(slack.url.reveal()).toBe('https://hooks.slack.com/services/T0/B0/planted-global-hook');
    expect(slack.http.headers.map(({ name, value }) => [name, value.reveal()])).toEqual([['X-Site', 'berlin']]);
    expect(slack.timeoutMs).toBeUndefined();
  });

  it('H7: take every field', async () => {
    const [slack] = slackOf(await sample(), 'slack') as [SlackIntegration];
    expect(slack).toMatchObject({ sendResolved: true, timeoutMs: 2500, linkNames: true, mrkdwnIn: ['text'] });
    expect(slack.url.reveal()).toBe('https://audit.example.org/hook/planted-file-url');
    expect(slack.texts).toEqual(
      Object.fromEntries(
        Object.entries({
          ...{ channel: '#{labels.team}', username: 'Eyrie {labels.cluster}', icon_emoji: ':eagle:' },
          ...{ icon_url: 'https://example.org/eagle.png', message_text: '<!here> {title}', color: '{color}' },
          title: '{status|upper}: {labels.alertname} ({alerts.firing} of {alerts})',
          title_link: '{annotations.runbook_url}',
          pretext: String.raw`For {receiver}: \{status} is a placeholder`,
          ...{ text: '{list}\n<{externalURL}|All alerts>', fallback: '{title}', callback_id: 'eyrie' },
          footer: '{groupLabels.cluster}',
          ...{ image_url: 'https://example.org/graph.png', thumb_url: 'https://example.org/thumb.png' },
        }).map(([name, text]) => [name, parseTemplate(text)]),
      ),
    );
    expect(slack.fields).toEqual([
      { title: 'Cluster', value: parseTemplate('{labels.cluster}'), short: true },
      { title: 'Summary', value: parseTemplate('{annotations.summary}'), short: false },
    ]);
    expect(slack.actions).toEqual([
      { type: 'button', text: 'Runbook', url: parseTemplate('{annotations.runbook_url}'), style: 'primary' },
      {
        ...{ type: 'button', text: 'Ack', name: 'ack', value: parseTemplate('{labels.alertname}') },
        confirm: { text: 'Sure?', ok_text: 'Yes' },
      },
    ]);
  });

  it("H7: may write out what Go's language has for a placeholder", async () => {
    const [{ texts }] = slackOf(await sample(), 'written-out') as [SlackIntegration];
    expect(texts.color).toEqual([{ name: 'color' }]);
    expect(texts.title).toEqual([{ name: 'title' }]);
    expect(texts.text).toEqual(parseTemplate('In {labels.cluster|upper}: {annotations.summary} ({alerts.firing})'));
    expect(texts.footer).toEqual(parseTemplate('{groupLabels.cluster} {status|upper} {receiver} {externalURL}'));
  });

  it.each<[global: string, slack: string, url: string, authorization: string | undefined]>([
    ['', "api_url: 'http://own'", 'http://own', undefined],
    ["slack_api_url: 'http://g'", "api_url: 'http://own'", 'http://own', undefined],
    ["slack_api_url: 'http://g'", '', 'http://g', undefined],
    ['slack_api_url_file: secrets/webhook-url', '', 'https://audit.example.org/hook/planted-file-url', undefined],
    ['', 'app_token: own', 'https://slack.com/api/chat.postMessage', 'Bearer own'],
    ['slack_app_token: g', '', 'https://slack.com/api/chat.postMessage', 'Bearer g'],
    ['slack_app_token_file: secrets/token', '', 'https://slack.com/api/chat.postMessage', 'Bearer planted-file-token'],
    ["slack_app_token: g, slack_app_url: 'http://app'", '', 'http://app', 'Bearer g'],
    ["slack_app_token: g, slack_app_url: 'http://app'", "app_url: 'http://mine'", 'http://mine', 'Bearer g'],
    ['slack_app_token: g', 'app_token: own', 'https://slack.com/api/chat.postMessage', 'Bearer own'],
    ['slack_app_token: g', "api_url: 'http://own'", 'http://own', undefined],
    [
      'slack_app_token: g',
      'api_url_file: secrets/webhook-url',
      'https://audit.example.org/hook/planted-file-url',
      undefined,
    ],
    ["slack_api_url: 'http://g'", 'app_token: own', 'https://slack.com/api/chat.postMessage', 'Bearer own'],
    [
      "slack_api_url: 'http://g'",
      "api_url: 'https://slack.com/api/chat.postMessage', http_config: {authorization: {credentials: bot}}",
      'https://slack.com/api/chat.postMessage',
      'Bearer bot',
    ],
    [
      "slack_app_token: g, slack_api_url: 'https://slack.com/api/chat.postMessage'",
      'http_config: {authorization: {credentials: bot}}',
      'https://slack.com/api/chat.postMessage',
      'Bearer bot',
    ],
    ["slack_api_url: 'http://g'", 'http_config: {authorization: {credentials: bot}}', 'http://g', 'Bearer bot'],
  ])('H7: of global {%s} and {%s} take %s, %s', (global, slack, url, authorization) => {
    expect(destination(global, slack)).toEqual([url, authorization]);
  });

  it('C5: show neither URL nor token', async () => {
    const config = await sample();
    const shown = [inspect(config, { depth: null, showHidden: true }), JSON.stringify([...config.receivers])];
    for (const text of [...shown, config.original]) expect(text).not.toContain('planted');
    expect(config.original.match(/<secret>/g)).toHaveLength(5);
  });
});
