import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseAlertsConfig } from 'eyrie/alerts';
import { keys, testApi, type TestApi } from '../harness/api.js';

const CONFIG = `route:
  receiver: everybody
  routes:
    - { receiver: team-db, matchers: [team="db"], continue: true }
    - { receiver: night, matchers: [severity="critical"], group_by: [cluster], mute_time_intervals: [always] }
inhibit_rules:
  - { source_matchers: [severity="critical"], target_matchers: [severity="low"], equal: [cluster] }
time_intervals: [{ name: always, time_intervals: [{}] }]
receivers:
  - name: everybody
  - { name: team-db, webhook_configs: [{ url: 'http://hook.test/T0KEN-hunter2' }] }
  - { name: night, email_configs: [{ to: a@b.test, from: c@d.test, smarthost: 'mail.test:25', auth_username: me, auth_password: hunter2-Zq9 }] }
`;
const KEYS = [
  'annotations',
  'endsAt',
  'fingerprint',
  'generatorURL',
  'labels',
  'receivers',
  'startsAt',
  'status',
  'updatedAt',
];

interface Alert {
  labels: Record<string, string>;
  receivers: { name: string }[];
  fingerprint: string;
  status: { state: string; inhibitedBy: string[] };
}

let api: TestApi;
beforeAll(async () => {
  api = await testApi({ config: CONFIG });
  const alert = (alertname: string, labels: object) => ({ labels: { alertname, ...labels } });
  const answer = await api.ask('POST', '/api/v2/alerts', {
    body: [
      alert('Down', { severity: 'critical', cluster: 'a', team: 'db' }),
      alert('Slow', { severity: 'low', cluster: 'a' }),
      alert('Slow', { severity: 'low', cluster: 'b' }),
      {
        ...alert('Over', { cluster: 'a' }),
        startsAt: new Date(Date.now() - 60_000),
        endsAt: new Date(Date.now() - 1_000),
      },
    ],
  });
  expect(answer.status).toBe(200);
});
afterAll(() => api.close());

async function alerts(query = ''): Promise<Alert[]> {
  const { status, json } = await api.ask('GET', `/api/v2/alerts${query}`);
  expect(status).toBe(200);
  return json as Alert[];
}

const clusters = async (query: string) =>
  (await alerts(query)).map(({ labels }) => `${labels.alertname}/${labels.cluster}`).sort();

function everyValue(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [value];
  return Object.values(value).flatMap(everyValue);
}

describe('GET /api/v2/alerts', () => {
  it('H9: gives firing alerts with exactly the fields of gettableAlert, times in RFC 3339, and never null', async () => {
    const found = await alerts();
    expect(found).toHaveLength(3);
    for (const alert of found) expect(Object.keys(alert).sort()).toEqual(KEYS);
    expect(everyValue(found)).not.toContain(null);
    const down = found.find(({ labels }) => labels.alertname === 'Down')!;
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(down).toMatchObject({ annotations: {}, generatorURL: '', startsAt: time, endsAt: time, updatedAt: time });
    expect(down.status).toEqual({ state: 'active', silencedBy: [], inhibitedBy: [], mutedBy: [] });
    expect(down.receivers).toEqual([{ name: 'team-db' }, { name: 'night' }]);
    expect(down.fingerprint).toMatch(/^[0-9a-f]{16}$/);
  });

  it('H9: an inhibited alert is suppressed, by the fingerprint of the other', async () => {
    const found = await alerts();
    const down = found.find(({ labels }) => labels.alertname === 'Down')!;
    const slow = found.find(({ labels }) => labels.alertname === 'Slow' && labels.cluster === 'a')!;
    expect(slow.status).toMatchObject({ state: 'suppressed', inhibitedBy: [down.fingerprint] });
  });

  it.each([
    ['?active=false', ['Slow/a']],
    ['?inhibited=false', ['Down/a', 'Slow/b']],
    ['?silenced=false&unprocessed=false', ['Down/a', 'Slow/a', 'Slow/b']],
    ['?active=false&inhibited=false', []],
    ['?receiver=night', ['Down/a']],
    ['?receiver=every.*', ['Slow/a', 'Slow/b']],
    ['?receiver=every', []],
    ['?filter=cluster%3D%22a%22', ['Down/a', 'Slow/a']],
    ['?filter=cluster%3D%22a%22&filter=severity!~%22crit.*%22', ['Slow/a']],
  ])('H9: %s', async (query, expected) => {
    expect(await clusters(query)).toEqual(expected);
  });

  it.each([
    ['?active=0', ['Slow/a']],
    ['?active=F', ['Slow/a']],
    ['?active=perhaps', ['Slow/a']],
    ['?active=true&active=off', ['Slow/a']],
    ['?active=1&inhibited=t&silenced=TRUE', ['Down/a', 'Slow/a', 'Slow/b']],
    ['?active=&foo=bar', ['Down/a', 'Slow/a', 'Slow/b']],
    ['?receiver_matchers=name%3D~%22night|team-db%22', ['Down/a']],
    ['?receiver_matchers=name!%3D%22everybody%22&receiver_matchers=name!%3D%22night%22', ['Down/a']],
    ['?receiver_matchers=owner%3D%22x%22', []],
  ])('H9: reads %s as Alertmanager does', async (query, expected) => {
    expect(await clusters(query)).toEqual(expected);
  });

  it.each([
    ['alerts?filter=cluster', 'bad matcher format: cluster'],
    ['alerts?receiver=(', 'failed to parse receiver param: error parsing regexp: missing closing ): `^(?:()$`'],
    ['alerts?receiver_matchers=x', 'failed to parse receiver_matchers param: bad matcher format: x'],
    ['alerts/groups?filter=x', 'bad matcher format: x'],
    ['receivers?receiver_matchers=x', 'failed to parse receiver_matchers param: bad matcher format: x'],
    ['silences?filter=', 'bad matcher format: '],
  ])('H9: 400 in a JSON string to %s', async (path, message) => {
    const { status, json, headers } = await api.ask('GET', `/api/v2/${path}`);
    expect([status, json]).toEqual([400, message]);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
  });
});

describe('GET /api/v2/status', () => {
  it('H9: has the fields that amtool, Grafana and Prometheus read, with their types', async () => {
    const { status, json } = await api.ask('GET', '/api/v2/status');
    const text = expect.any(String);
    expect([status, json]).toEqual([
      200,
      {
        cluster: { status: 'disabled', peers: [] },
        versionInfo: {
          version: expect.stringMatching(/^0\.\d+\.\d+$/),
          ...{ revision: 'abc', branch: text, buildUser: text, buildDate: text, goVersion: text },
        },
        config: { original: text },
        uptime: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
  });

  it('C5: shows the configuration without its secrets, and it is still one', async () => {
    const { json, text } = await api.ask('GET', '/api/v2/status');
    expect(text).not.toContain('hunter2');
    const { original } = (json as { config: { original: string } }).config;
    const again = parseAlertsConfig(original.replace('url: <secret>', 'url: http://other'), { baseDirectory: '/' });
    expect([...again.receivers.keys()]).toEqual(['everybody', 'team-db', 'night']);
  });
});

describe('GET /api/v2/receivers', () => {
  it('H9: names them in the order of the file', async () => {
    const { json } = await api.ask('GET', '/api/v2/receivers');
    const names = ['everybody', 'team-db', 'night'];
    expect(json).toEqual(names.map((name) => ({ name, labels: { name } })));
    const some = await api.ask('GET', '/api/v2/receivers?receiver_matchers=name%3D~%22n.*%22');
    expect(some.json).toEqual([{ name: 'night', labels: { name: 'night' } }]);
  });
});

interface Group {
  labels: Record<string, string>;
  receiver: { name: string };
  alerts: (Alert & { status: { mutedBy: string[]; silencedBy: string[] } })[];
}

async function groups(query = ''): Promise<Group[]> {
  const { status, json } = await api.ask('GET', `/api/v2/alerts/groups${query}`);
  expect(status).toBe(200);
  return json as Group[];
}

describe('GET /api/v2/alerts/groups', () => {
  const shown = async (query?: string) =>
    (await groups(query)).map(({ labels, receiver, alerts }) => [
      ...[receiver.name, Object.values(labels).join()],
      alerts.map((alert) => `${alert.labels.alertname}/${alert.labels.cluster}`).join(' '),
    ]);

  it('H9: has the groups and their alerts in the order of Alertmanager, each alert with its receivers', async () => {
    expect(await shown()).toEqual([
      ['everybody', '', 'Slow/a Slow/b'],
      ['team-db', '', 'Down/a'],
      ['night', 'a', 'Down/a'],
    ]);
    const [first, second] = await groups();
    expect(Object.keys(first!.alerts[0]!).sort()).toEqual(KEYS);
    expect(second!.alerts[0]!.receivers).toEqual([{ name: 'night' }, { name: 'team-db' }]);
    expect(everyValue(await groups())).not.toContain(null);
  });

  it('H9: marks what a time interval mutes, and leaves it out with muted=false', async () => {
    const night = (await groups()).find(({ receiver }) => receiver.name === 'night')!;
    expect(night.alerts[0]!.status).toMatchObject({ state: 'suppressed', mutedBy: ['always'] });
    expect((await shown('?muted=false')).map(([receiver]) => receiver)).toEqual(['everybody', 'team-db']);
  });

  it.each([
    ['?receiver=night', [['night', 'a', 'Down/a']]],
    ['?active=false', [['everybody', '', 'Slow/a']]],
    ['?inhibited=false&receiver=every.*', [['everybody', '', 'Slow/b']]],
    ['?filter=cluster%3D%22b%22', [['everybody', '', 'Slow/b']]],
    ['?filter=cluster%3D%22c%22', []],
    ['?receiver_matchers=name%3D%22team-db%22', [['team-db', '', 'Down/a']]],
  ])('H9: %s', async (query, expected) => {
    expect(await shown(query)).toEqual(expected);
  });
});

describe('the silences of /api/v2', () => {
  const soon = () => new Date(Date.now() + 3_600_000).toISOString();
  const body = (change: object = {}) => ({
    matchers: [{ name: 'cluster', value: 'b', isRegex: false }],
    ...{ startsAt: new Date().toISOString(), endsAt: soon(), createdBy: 'ann', comment: 'moving' },
    ...change,
  });
  const post = (change?: object) => api.ask('POST', '/api/v2/silences', { body: body(change) });

  it('H9: are made, shown, changed and ended, and hold', async () => {
    const { status, json } = await post({ annotations: { ticket: '7' } });
    expect([status, Object.keys(json as object)]).toEqual([200, ['silenceID']]);
    const { silenceID } = json as { silenceID: string };
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const silence = {
      ...{ id: silenceID, status: { state: 'active' }, updatedAt: time, startsAt: time, endsAt: time },
      ...{ createdBy: 'ann', comment: 'moving', annotations: { ticket: '7' } },
      matchers: [{ isEqual: true, isRegex: false, name: 'cluster', value: 'b' }],
    };
    expect((await api.ask('GET', `/api/v2/silence/${silenceID}`)).json).toEqual(silence);
    expect((await api.ask('GET', '/api/v2/silences')).json).toEqual([silence]);
    const found = (await alerts()).filter(({ labels }) => labels.cluster === 'b');
    expect(found.map((alert) => alert.status)).toEqual([
      { state: 'suppressed', silencedBy: [silenceID], inhibitedBy: [], mutedBy: [] },
    ]);
    expect(await clusters('?silenced=false')).toEqual(['Down/a', 'Slow/a']);
    expect(await clusters('?active=false')).toEqual(['Slow/a', 'Slow/b']);

    const { startsAt } = (await api.ask('GET', `/api/v2/silence/${silenceID}`)).json as { startsAt: string };
    const changed = await post({ id: silenceID, startsAt, comment: 'still moving' });
    expect(changed.json).toEqual({ silenceID });
    const other = await post({ id: silenceID, startsAt, matchers: [{ name: 'cluster', value: 'b|c', isRegex: true }] });
    const { silenceID: newId } = other.json as { silenceID: string };
    expect(newId).not.toBe(silenceID);
    const states = (await api.ask('GET', '/api/v2/silences')).json as { id: string; status: { state: string } }[];
    expect(states.map(({ id, status }) => [id, status.state])).toEqual([
      [newId, 'active'],
      [silenceID, 'expired'],
    ]);
    const filtered = await api.ask('GET', `/api/v2/silences?filter=${encodeURIComponent('cluster=~"b|c"')}`);
    expect((filtered.json as unknown[]).length).toBe(1);

    const ended = await api.ask('DELETE', `/api/v2/silence/${newId}`);
    expect([ended.status, ended.text]).toEqual([200, '']);
    expect((await api.ask('DELETE', `/api/v2/silence/${newId}`)).status).toBe(200);
    expect(await clusters('?silenced=false')).toEqual(['Down/a', 'Slow/a', 'Slow/b']);
  });

  it.each([
    [{ comment: undefined, createdBy: null }, 'comment in body is required; createdBy in body is required'],
    [{ matchers: [] }, 'matchers in body should have at least 1 items'],
    [
      { matchers: [{ name: 'a', isRegex: 1 }] },
      'matchers.0.isRegex in body must be of type boolean; matchers.0.value in body is required',
    ],
    [{ endsAt: 'zz' }, 'endsAt in body must be of type date-time: "zz"'],
    [{ endsAt: '' }, 'Failed to create silence: start time must be before end time'],
    [{ startsAt: '', endsAt: '2020-01-01T00:00:00Z' }, "Failed to create silence: end time can't be in the past"],
    [
      { matchers: [{ name: 'a', value: '.*', isRegex: true }] },
      'invalid silence: matcher set 0: at least one matcher must not match the empty string',
    ],
    [
      { matchers: [{ name: 'a', value: '(', isRegex: true }] },
      'invalid silence: invalid label matcher 0 in set 0: invalid regular expression "(": error parsing regexp: missing closing ): `(`',
    ],
  ])('H9: 400, in the words of Alertmanager: %j', async (change, message) => {
    const { status, json } = await post(change);
    expect([status, json]).toEqual([400, message]);
  });

  it('H9: 404 where there is none, 400 where the id is none', async () => {
    const none = '00000000-0000-4000-8000-000000000000';
    expect([(await post({ id: none })).json, (await post({ id: 'nope' })).status]).toEqual(['silence not found', 404]);
    for (const method of ['GET', 'DELETE']) {
      const missing = await api.ask(method, `/api/v2/silence/${none}`);
      expect([missing.status, missing.json]).toEqual([404, 'silence not found']);
      expect((await api.ask(method, '/api/v2/silence/nope')).status).toBe(400);
    }
    for (const hostile of ['null', '[]', '"x"', '{', '{"matchers":{"length":1}}']) {
      const { status, json } = await api.ask('POST', '/api/v2/silences', { body: hostile });
      expect([status, typeof json]).toEqual([400, 'string']);
    }
  });

  it('H9: are not for those who may only send alerts', async () => {
    const refused = await api.ask('POST', '/api/v2/silences', { key: keys.ingest, body: body() });
    expect(refused.status).toBe(403);
  });
});

describe('an unknown path below /api/v2', () => {
  it('H9: is 404 in a JSON string', async () => {
    const { status, json } = await api.ask('GET', '/api/v2/nothing');
    expect([status, typeof json]).toEqual([404, 'string']);
  });
});
