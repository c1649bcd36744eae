import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { testApi, type TestApi } from '../harness/api.js';
import { eventually } from '../harness/eventually.js';

const CHANNEL = 'eyrie_config_reload';
const routedTo = (receiver: string) => `route: { receiver: ${receiver} }\nreceivers: [{ name: ${receiver} }]\n`;

let api: TestApi;
/** Another process, as far as notices go. */
let other: Client;
const heard: string[] = [];

beforeAll(async () => {
  api = await testApi({ config: routedTo('first') });
  other = new Client({ connectionString: api.databaseUrl });
  await other.connect();
  other.on('notification', ({ payload }) => heard.push(payload ?? ''));
  await other.query(`LISTEN ${CHANNEL}`);
  await api.ask('POST', '/api/v1/alerts', { body: { name: 'Routed' } });
});
beforeEach(async () => {
  await api.configure(routedTo('first'));
  expect((await api.ask('POST', '/-/reload')).status).toBe(200);
  await other.query('SELECT 1');
  heard.length = 0;
});
afterAll(async () => {
  await other.end();
  await api.close();
});

async function receivers(): Promise<string[]> {
  const { json } = await api.ask('GET', '/api/v2/alerts');
  return (json as { receivers: { name: string }[] }[]).flatMap((alert) => alert.receivers.map(({ name }) => name));
}

describe('POST /-/reload', () => {
  it('H4: puts a good file in force, and tells the other processes', async () => {
    expect(await receivers()).toEqual(['first']);
    await api.configure(routedTo('second'));
    expect(await receivers()).toEqual(['first']);
    const { status, text } = await api.ask('POST', '/-/reload');
    expect([status, text]).toEqual([200, '']);
    expect(await receivers()).toEqual(['second']);
    expect(await eventually(() => heard[0])).toMatch(/^[0-9a-f-]{36}$/);
    expect((await api.ask('GET', '/api/v2/status')).text).toContain('second');
  });

  it('H4: answers every fault of a bad file with line and column; the old one stays in force, and nobody is told', async () => {
    await api.configure(
      'route:\n  receiver: missing\n  group_wait: soon\nreceivers:\n  - name: team\n    slack_configs: [{}]\n',
    );
    const { status, json } = await api.ask('POST', '/-/reload');
    expect([status, json]).toMatchObject([400, { type: 'urn:eyrie:problem:invalid-configuration' }]);
    const { errors } = json as { errors: { detail: string }[] };
    const details = errors.map(({ detail }) => detail);
    expect(details).toEqual([
      expect.stringMatching(/^line 2, column \d+: .*"missing"/),
      expect.stringMatching(/^line 3, column \d+: .*soon/),
      expect.stringMatching(/^line 6, column \d+: .*slack_configs/),
    ]);
    expect(await receivers()).toEqual(['first']);
    await other.query('SELECT 1');
    expect(heard).toEqual([]);
  });

  it.each([
    ['a file that is no YAML', 'route: [', /^line 1, column/],
    ['an empty file', '', /^line 1, column/],
  ])('H4: answers 400 to %s', async (_title, yaml, place) => {
    await api.configure(yaml);
    const { status, json } = await api.ask('POST', '/-/reload');
    expect([status, (json as { errors: { detail: string }[] }).errors[0]!.detail]).toEqual([
      400,
      expect.stringMatching(place),
    ]);
    expect(await receivers()).toEqual(['first']);
  });

  it('C5: no fault repeats a secret of the file', async () => {
    await api.configure(
      `${routedTo('team')}global: { smtp_auth_password: [hunter2-Zq9], slack_api_url: 'http://hunter2-Zq9/' }\n`,
    );
    const { status, text } = await api.ask('POST', '/-/reload');
    expect(status).toBe(400);
    expect(text).not.toContain('hunter2-Zq9');
    expect(JSON.stringify(api.lines)).not.toContain('hunter2-Zq9');
  });
});

describe('a reload in another process', () => {
  it('H4: is followed here', async () => {
    await api.configure(routedTo('third'));
    await other.query(`NOTIFY ${CHANNEL}, 'another-process'`);
    await eventually(async () => (await receivers())[0] === 'third');
  });

  it('H4: is refused here when the file here is bad: logged, and the old one stays in force', async () => {
    api.lines.length = 0;
    await api.configure('route: {}\n');
    await other.query(`NOTIFY ${CHANNEL}, 'another-process'`);
    await eventually(() => api.lines.some(({ message, level }) => level === 'error' && /stays in force/.test(message)));
    expect(await receivers()).toEqual(['first']);
  });

  it('H4: is caught up with when the connection that would have told of it was lost', async () => {
    await api.configure(routedTo('fourth'));
    await other.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'eyrie listener'`,
    );
    await eventually(async () => (await receivers())[0] === 'fourth');
  });
});
