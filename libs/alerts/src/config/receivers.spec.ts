import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EmailIntegration } from './integration.js';
import { loadAlertsConfig, parseAlertsConfig } from './load.js';

const FIXTURES = fileURLToPath(new URL('../../../../test/fixtures/alertmanager/', import.meta.url));

describe('a receiver', () => {
  it('H7: has its integrations by type and position', async () => {
    const { receivers } = await loadAlertsConfig(join(FIXTURES, 'integrations.yml'));
    const keys = (name: string) => receivers.get(name)!.integrations.map(({ key }) => key);
    expect(keys('defaults')).toEqual(['defaults/email/0', 'defaults/slack/0', 'defaults/pagerduty/0']);
    expect(keys('slack')).toEqual(['slack/slack/0', 'slack/slack/1', 'slack/slack/2']);
  });
});

describe('email_configs', () => {
  const emailOf = async (name: string) =>
    (await loadAlertsConfig(join(FIXTURES, 'integrations.yml'))).receivers
      .get(name)!
      .integrations.find(({ type }) => type === 'email') as EmailIntegration;

  it('H7: may have texts of their own', async () => {
    expect(await emailOf('written-out')).toMatchObject({
      headers: { Subject: [{ name: 'title' }], 'X-Cluster': [{ name: 'labels', key: 'cluster' }] },
      html: ['<p>', { name: 'annotations', key: 'summary' }, '</p>'],
      text: [{ name: 'list' }],
    });
  });

  it.each(['', "html: '{{ template \"email.default.html\" . }}', text: ''", 'html: null, text: ~'])(
    'H7: have ours with {%s}',
    (more) => {
      const email = `{to: a@b, from: a@b, smarthost: 'a:25', ${more}}`;
      const text = `route: {receiver: a}\nreceivers: [{name: a, email_configs: [${email}]}]`;
      const config = parseAlertsConfig(text, { baseDirectory: FIXTURES });
      const [integration] = config.receivers.get('a')!.integrations;
      expect(integration).not.toHaveProperty('html');
      expect(integration).not.toHaveProperty('text');
    },
  );
});
