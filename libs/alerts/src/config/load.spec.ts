import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { AlertsConfigError, formatFault } from './fault.js';
import type { EmailIntegration, WebhookIntegration } from './integration.js';
import { type AlertsConfig, loadAlertsConfig, parseAlertsConfig } from './load.js';
import { matchRoutes, walkRoutes } from './route.js';

const FIXTURES = fileURLToPath(new URL('../../../../test/fixtures/alertmanager/', import.meta.url));
const load = (name: string) => loadAlertsConfig(join(FIXTURES, name));
const parse = (text: string) => parseAlertsConfig(text, { baseDirectory: FIXTURES });

function faultsOf(text: string, baseDirectory = join(FIXTURES, 'refused')): string[] {
  try {
    parseAlertsConfig(text, { baseDirectory });
    return [];
  } catch (error) {
    if (error instanceof AlertsConfigError) return error.faults.map(formatFault);
    throw error;
  }
}

const withReceivers = (receivers: string, more = '') =>
  `${more}\nroute: {receiver: a}\nreceivers: [{name: a, ${receivers}}]`;
const integrationsOf = ({ receivers }: AlertsConfig, name: string) => receivers.get(name)!.integrations;

describe('a file in Alertmanager’s format', () => {
  it('H4: routes as amtool does', async () => {
    const golden = JSON.parse(await readFile(join(FIXTURES, 'routes.golden.json'), 'utf8')) as {
      config: string;
      labels: Record<string, string>;
      receivers: string[];
    }[];
    for (const { config, labels, receivers } of golden) {
      const taken = matchRoutes((await load(config)).route, labels).map(({ receiver }) => receiver);
      expect({ config, labels, receivers: taken }).toEqual({ config, labels, receivers });
    }
  });

  it('H4: the tree, its timings and its keys', async () => {
    const config = await load('complete.yml');
    const minutes = (ms: number) => ms / 60_000;
    const rows = [...walkRoutes(config.route)].map((route) => [
      ...[route.key, route.receiver, route.groupByAll ? '...' : route.groupBy.join()],
      ...[route.groupWaitMs / 1000, minutes(route.groupIntervalMs), minutes(route.repeatIntervalMs)],
    ]);
    expect(rows).toEqual([
      ['{}', 'default', 'alertname,cluster', 10, 1, 240],
      ['{}/{}', 'audit', '...', 0, 1, 240],
      ['{}/{severity=~"critical|page",team="database"}', 'database-pager', 'alertname,cluster', 10, 1, 90],
      [
        '{}/{severity=~"critical|page",team="database"}/{env!~"dev.*",service.name="mysql"}',
        ...['database-pager', 'instance', 10, 1, 90],
      ],
      ['{}/{severity=~"^(?:warning|critical)$",team="frontend"}', 'frontend', 'alertname,cluster', 10, 1, 240],
      ['{}/{team="frontend"}', 'default', 'alertname,cluster', 10, 1, 240],
    ]);
    expect(config.resolveTimeoutMs).toBe(600_000);
    expect(config.route.routes[1]!.activeTimeIntervals).toEqual(['office-hours']);
    expect(config.route.routes[2]!.muteTimeIntervals).toEqual(['weekends', 'holidays']);
    expect([...config.timeIntervals.keys()].sort()).toEqual(['holidays', 'office-hours', 'weekends']);
  });

  it('H4: inhibit rules, new and deprecated', async () => {
    const { inhibitRules } = await load('complete.yml');
    expect(
      inhibitRules.map((rule) => [rule.key, rule.sourceMatchers.join(), rule.targetMatchers.join(), rule.equal.join()]),
    ).toEqual([
      ['critical-over-warning', 'severity="critical"', 'severity="warning"', 'alertname,cluster'],
      [
        '{alertname="ClusterDown",cluster=~"^(?:.+)$"} inhibits {alertname=~"^(?:Node.*)$",scope="cluster"} with equal ["cluster"]',
        ...['alertname="ClusterDown",cluster=~"^(?:.+)$"', 'alertname=~"^(?:Node.*)$",scope="cluster"', 'cluster'],
      ],
    ]);
  });

  it('H4: YAML 1.1 as Alertmanager reads it: merges, anchors, yes and off, plain times, nulls', async () => {
    const { route, receivers, timeIntervals } = await load('yaml.yml');
    expect(route.routes.map((each) => [each.receiver, each.groupWaitMs, each.continue])).toEqual([
      ['on-call', 5000, true],
      ['on-call', 5000, false],
      ['default', 30_000, false],
    ]);
    expect([...receivers.keys()]).toEqual(['default', 'on-call']);
    expect(timeIntervals.get('nights')).toEqual([
      {
        times: [{ startMinute: 0, endMinute: 390 }],
        daysOfMonth: [
          { begin: 1, end: 1 },
          { begin: -1, end: -1 },
        ],
        years: [{ begin: 2026, end: 2026 }],
      },
    ]);
  });

  it("H7: a webhook's settings, with Alertmanager's defaults", async () => {
    const config = await load('complete.yml');
    const [plain] = integrationsOf(config, 'default') as [WebhookIntegration];
    expect(plain).toMatchObject({ key: 'default/webhook/0', receiver: 'default', type: 'webhook', index: 0 });
    expect(plain).toMatchObject({ sendResolved: true, maxAlerts: 0, http: { followRedirects: false } });
    expect(plain.timeoutMs).toBeUndefined();
    expect(plain.http.headers.map(({ name, value }) => [name, value.reveal()])).toEqual([['X-Site', 'berlin']]);

    const [audit] = integrationsOf(config, 'audit') as [WebhookIntegration];
    expect(audit.url.reveal()).toBe('https://audit.example.org/hook/planted-file-url');
    expect(audit).toMatchObject({ sendResolved: false, maxAlerts: 50, timeoutMs: 2500 });
    expect(audit.http).toMatchObject({
      followRedirects: true,
      tls: { rejectUnauthorized: false, servername: 'audit.example.org' },
    });
    expect(audit.http.authorization!.type).toBe('Token');
    expect(audit.http.authorization!.credentials.reveal()).toBe('planted-file-token');
    expect(audit.http.headers.map(({ name, value }) => [name, value.reveal()])).toEqual([
      ['X-Tenant', 'ops'],
      ['X-Key', 'planted-header-secret'],
    ]);

    const [basic, bearer] = integrationsOf(config, 'database-pager') as WebhookIntegration[];
    expect(basic!.http.basicAuth!.username).toBe('pager');
    expect(basic!.http.basicAuth!.password.reveal()).toBe('planted-basic-secret');
    expect(bearer).toMatchObject({
      key: 'database-pager/webhook/1',
      index: 1,
      http: { authorization: { type: 'Bearer' } },
    });
    expect(bearer!.http.headers).toEqual([]);
  });

  it("H7: an email's settings, its own before the global ones", async () => {
    const config = await load('complete.yml');
    const [dba] = integrationsOf(config, 'database-pager').slice(2) as [EmailIntegration];
    expect(dba).toMatchObject({
      ...{ key: 'database-pager/email/0', sendResolved: true, from: 'Eyrie <eyrie@example.org>', requireTls: true },
      to: ['"Database, on call" <dba@example.org>', 'lead@example.org'],
      smarthost: { host: 'smtp.example.org', port: 587 },
      hello: 'eyrie.example.org',
      tls: { servername: 'smtp.example.org', rejectUnauthorized: true },
      headers: { Subject: '[database] something fires', 'X-Priority': '1' },
    });
    expect(dba.auth!.username).toBe('eyrie');
    expect(dba.auth!.password.reveal()).toBe('planted-file-password');

    const [frontend] = integrationsOf(config, 'frontend') as [EmailIntegration];
    expect(frontend).toMatchObject({ sendResolved: false, smarthost: { host: '::1', port: 2525 }, hello: 'localhost' });
    expect(frontend).toMatchObject({ requireTls: false, tls: { rejectUnauthorized: false }, headers: {} });
    expect(frontend.auth!.password.reveal()).toBe('planted-smtp-secret');
  });

  it.each([
    ['bearer_token: x', { type: 'Bearer', credentials: 'x' }],
    ['bearer_token_file: secrets/token', { type: 'Bearer', credentials: 'planted-file-token' }],
    ['authorization: {}', { type: 'Bearer', credentials: '' }],
    ["authorization: {type: ' ApiKey ', credentials: x}", { type: 'ApiKey', credentials: 'x' }],
  ])('H7: http_config {%s}', (http, expected) => {
    const config = parse(withReceivers(`webhook_configs: [{url: "http://x", http_config: {${http}}}]`));
    const { authorization } = (integrationsOf(config, 'a')[0] as WebhookIntegration).http;
    expect({ ...authorization, credentials: authorization!.credentials.reveal() }).toEqual(expected);
  });

  it('H7: basic authentication may have its user name in a file', () => {
    const basic = '{username_file: secrets/smtp-password, password_file: secrets/token}';
    const config = parse(withReceivers(`webhook_configs: [{url: "http://x", http_config: {basic_auth: ${basic}}}]`));
    const { basicAuth } = (integrationsOf(config, 'a')[0] as WebhookIntegration).http;
    expect([basicAuth!.username, basicAuth!.password.reveal()]).toEqual([
      'planted-file-password',
      'planted-file-token',
    ]);
  });
});

describe('faults', () => {
  it('H4: every fault of a file is told at once, with its place and what it is in', async () => {
    for (const name of await readdir(join(FIXTURES, 'refused'))) {
      const text = await readFile(join(FIXTURES, 'refused', name), 'utf8');
      const expected = text.split('\n').flatMap((line) => (line.startsWith('#! ') ? [line.slice(3)] : []));
      expect({ name, faults: faultsOf(text) }).toEqual({ name, faults: expected });
      expect(expected.length).toBeGreaterThan(0);
    }
  });

  it('H4: the message names the file, line and column of each', async () => {
    const file = join(FIXTURES, 'refused/duplicate-key.yml');
    await expect(loadAlertsConfig(file)).rejects.toThrow(`${file}:3:3: Map keys must be unique`);
    await expect(loadAlertsConfig('/nowhere/alertmanager.yml')).rejects.toThrow(
      /^\/nowhere\/alertmanager.yml:1:1: cannot be read: ENOENT/,
    );
  });

  it('H4: aliases cannot make a small file big', () => {
    const nested = Array.from(
      { length: 30 },
      (_, n) => `- &r${n} {receiver: a, routes: [${n ? `*r${n - 1}, *r${n - 1}` : ''}]}`,
    );
    const text = `receivers: [{name: a}]\nroute:\n  receiver: a\n  routes:\n${nested.map((line) => `    ${line}`).join('\n')}`;
    expect(faultsOf(text)).toContainEqual(expect.stringContaining('too many aliases'));
  });

  it.each([
    [
      'a YAML tag',
      'route: {receiver: !!binary YQ==}\nreceivers: [{name: a}]',
      '1:28 route.receiver: not supported: the YAML tag tag:yaml.org,2002:binary',
    ],
    ['two documents', 'route: {receiver: a}\nreceivers: [{name: a}]\n---\na: b', 'multiple documents'],
    ['text', 'hello', '1:1: expected a mapping, found text'],
    [
      'a merge of nothing',
      'route: {<<: 1, receiver: a}\nreceivers: [{name: a}]',
      '1:13 route: expected a mapping, found text',
    ],
  ])('H4: %s is refused', (_, text, fault) => {
    expect(faultsOf(text).join('\n')).toContain(fault);
  });
});

describe('secrets', () => {
  const planted = /planted-(?!line)/;

  it('C5: none is shown when a configuration is printed, inspected or serialised', async () => {
    const config = await load('complete.yml');
    const shown = [inspect(config, { depth: null, showHidden: true }), JSON.stringify([...config.receivers])];
    shown.push(
      ...[...config.receivers.values()].flatMap(({ integrations }) => integrations.map((each) => JSON.stringify(each))),
    );
    shown.push(String((config.receivers.get('default')!.integrations[0] as WebhookIntegration).url));
    for (const text of shown) expect(text).not.toMatch(planted);
    expect(shown.join()).toContain('<secret>');
  });

  it('C5: none is in a fault', async () => {
    for (const name of ['stricter.yml', 'receivers.yml']) {
      expect(faultsOf(await readFile(join(FIXTURES, 'refused', name), 'utf8')).join()).not.toMatch(/planted/);
    }
  });

  it('H9: the original is still the same configuration, without secrets and comments', async () => {
    const config = await load('complete.yml');
    expect(config.original).not.toMatch(planted);
    expect(config.original).not.toContain('#');
    expect(config.original.match(/<secret>/g)).toHaveLength(7);
    const again = parse(config.original.replaceAll('url: <secret>', 'url: http://other'));
    expect(again.route).toEqual(config.route);
    expect(again.timeIntervals).toEqual(config.timeIntervals);
    expect(again.inhibitRules).toEqual(config.inhibitRules);
  });

  it('C5: comments anywhere, blocks, quotes, anchors and flows do not save a secret', () => {
    const { original } = parse(
      [
        '# planted-1',
        '---',
        'global: # planted-2',
        '  smtp_auth_password: &p "planted-\\u0041" # planted-3',
        '  # planted-4',
        'route: {receiver: a}',
        'receivers:',
        '  # planted-5',
        '  - name: a # planted-6',
        '    webhook_configs:',
        '      - url: http://x',
        '        http_config:',
        '          basic_auth: {username: u, password: *p}',
        '      - url: >- # planted-7',
        '          http://x/planted-8',
        '        http_config: { http_headers: { A: { secrets: [planted-9, ! "planted-10"] } }, } # planted-11',
        '# planted-12',
      ].join('\n'),
    );
    expect(original).not.toContain('planted');
    expect(parse(original.replaceAll('url: <secret>', 'url: http://x')).receivers.size).toBe(1);
  });
});

describe('the hash', () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'eyrie-alerts-config-'))));
  afterEach(() => rm(folder, { recursive: true }));

  it('H4: changes with a secret in a file, not with a comment or the order of fields', async () => {
    const hash = (text: string) => parseAlertsConfig(text, { baseDirectory: folder }).hash;
    const text = withReceivers('webhook_configs: [{url_file: url}]');
    await writeFile(join(folder, 'url'), 'http://one\n');
    const first = hash(text);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(hash(`# comment\n${text.split('\n').reverse().join('\n')}`)).toBe(first);
    await writeFile(join(folder, 'url'), 'http://two\n');
    expect(hash(text)).not.toBe(first);
    expect(hash(text.replace('receiver: a', 'receiver: a, group_wait: 1s'))).not.toBe(hash(text));
  });

  it('H4: an empty secret file is a fault', async () => {
    await writeFile(join(folder, 'url'), ' \n');
    expect(faultsOf(withReceivers('webhook_configs: [{url_file: url}]'), folder)).toEqual([
      '3:52 receivers[0].webhook_configs[0].url_file: url is empty',
    ]);
  });
});
