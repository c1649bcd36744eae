import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { keys, testApi, type TestApi } from '../harness/api.js';
import { eventually } from '../harness/eventually.js';
import { Receiver } from '../harness/receiver.js';

/** Stands in the addresses and credentials of receivers, and must stand nowhere else. */
const PLANTED = 'hunter2-Zq9';

interface Notification {
  id: string;
  receiver: string;
  integration: string;
  state: string;
  status: string;
  attempts: number;
  error: string | null;
}
interface Page {
  notifications: Notification[];
  next?: string;
}

let receiver: Receiver;
let api: TestApi;
beforeAll(async () => {
  receiver = await Receiver.start();
  const gone = await Receiver.start();
  await gone.close();
  api = await testApi({
    worker: true,
    config: `
route:
  receiver: team
  group_by: ['...']
  group_wait: 0s
  group_interval: 1s
  routes: [{ receiver: gone, matchers: [team="gone"] }]
receivers:
  - name: team
    webhook_configs:
      - url: '${receiver.url}/hook/${PLANTED}?token=${PLANTED}'
        http_config: { authorization: { credentials: ${PLANTED} } }
  - name: gone
    webhook_configs: [{ url: '${gone.url.replace('//', `//me:${PLANTED}@`)}/${PLANTED}' }]
`,
  });
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.status = 200;
});
afterAll(async () => {
  await api.close();
  await receiver.close();
});

const raise = (alert: object, headers?: Record<string, string>) =>
  api.ask('POST', '/api/v1/alerts', { key: keys.ingest, body: alert, headers });

async function page(query: string): Promise<Page> {
  const { status, json } = await api.ask('GET', `/api/v1/notifications?${query}`);
  expect(status).toBe(200);
  return json as Page;
}

/** What a notification on its way told. */
const told = (name: string) =>
  receiver.received
    .filter(({ body }) => body.includes(`"alertname":"${name}"`))
    .map(({ headers, body, path }) => {
      const { status } = JSON.parse(body) as { status: string };
      return { status, key: headers['idempotency-key'], authorization: headers.authorization, body, path };
    });

/** Raises an alert which the receiver refuses for good. */
async function bury(name: string): Promise<Notification> {
  receiver.status = 410;
  await raise({ name });
  await eventually(() => told(name).length > 0);
  const [key] = told(name).map(({ key }) => key);
  return eventually(async () => (await page('state=dead')).notifications.find(({ id }) => id === key));
}

describe('an alert', () => {
  it('H1: is delivered, and so is its end; it tells of both, and each notification of its attempt', async () => {
    await raise({ name: 'Whole', severity: 'high' });
    const [firing] = await eventually(() => (told('Whole').length > 0 ? told('Whole') : undefined));
    expect(firing).toMatchObject({
      status: 'firing',
      authorization: `Bearer ${PLANTED}`,
      path: `/hook/${PLANTED}?token=${PLANTED}`,
    });
    await raise({ name: 'Whole', severity: 'high', endsAt: new Date().toISOString() });
    await eventually(() => told('Whole').some(({ status }) => status === 'resolved'), 10_000);

    const { alerts } = (await api.ask('GET', '/api/v1/alerts?filter=alertname%3D%22Whole%22')).json as {
      alerts: { id: string }[];
    };
    const found = await eventually(async () => {
      const { json } = await api.ask('GET', `/api/v1/alerts/${alerts[0]!.id}`);
      const { notifications } = json as { notifications: Notification[] };
      return notifications.filter(({ state }) => state === 'delivered').length === 2 ? notifications : undefined;
    });
    expect(found.map(({ status, receiver: to, error }) => [status, to, error])).toEqual([
      ['resolved', 'team', null],
      ['firing', 'team', null],
    ]);
    expect(found.map(({ id }) => id)).toEqual(
      told('Whole')
        .map(({ key }) => key)
        .reverse(),
    );
    const { json } = await api.ask('GET', `/api/v1/notifications/${found[1]!.id}`);
    expect(json).toMatchObject({ ...found[1], payload: JSON.parse(firing!.body) as object });
    expect((json as { attemptsMade: object[] }).attemptsMade).toMatchObject([
      { number: 1, outcome: 'delivered', statusCode: 200, error: null },
    ]);
  });

  it('C4: what the worker logs of it names the request that asked for it', async () => {
    const dead = await bury('Traced');
    const headers = { 'x-request-id': 'request-of-the-replay' };
    await api.ask('POST', `/api/v1/notifications/${dead.id}/replay`, { headers });
    const line = await eventually(() =>
      api.lines.find((each) => each.logger === 'Deliver' && each.request_id === 'request-of-the-replay'),
    );
    expect(line).toMatchObject({ level: 'warn', job: expect.stringMatching(/^deliver-notification:\d+$/) });
    expect(line.message).toMatch(/notification .* failed: .*410.*kept as a dead letter/);
  });
});

describe('a dead letter', () => {
  it('H7: is listed with its fault, and replayed under the same key with the same message', async () => {
    const dead = await bury('Buried');
    expect(dead).toMatchObject({ receiver: 'team', state: 'dead', status: 'firing', attempts: 1 });
    expect(dead.error).toContain('410');
    receiver.status = 200;
    const answer = await api.ask('POST', `/api/v1/notifications/${dead.id}/replay`);
    expect([answer.status, answer.json]).toEqual([202, { replayed: 1 }]);
    await eventually(() => told('Buried').length === 2);
    const [first, second] = told('Buried');
    expect(second).toEqual(first);
    const details = await eventually(async () => {
      const { json } = await api.ask('GET', `/api/v1/notifications/${dead.id}`);
      return (json as Notification).state === 'delivered' ? json : undefined;
    });
    expect((details as { attemptsMade: object[] }).attemptsMade).toMatchObject([
      { number: 1, outcome: 'final', statusCode: 410 },
      { number: 2, outcome: 'delivered', statusCode: 200 },
    ]);
  });

  it('H7: cannot be replayed when it is none: 409', async () => {
    const { notifications } = await page('state=delivered&limit=1');
    for (const id of [notifications[0]!.id, '0198c1a2-0000-7000-8000-000000000001']) {
      const { status, json } = await api.ask('POST', `/api/v1/notifications/${id}/replay`);
      expect([status, json]).toMatchObject([409, { type: 'urn:eyrie:problem:no-dead-letter' }]);
    }
  });

  it('H7: all of a receiver are replayed at once, those of others are not', async () => {
    for (const name of ['Mass1', 'Mass2']) await bury(name);
    receiver.status = 200;
    expect((await api.ask('POST', '/api/v1/notifications/replay?receiver=gone')).json).toEqual({ replayed: 0 });
    const { json } = await api.ask('POST', '/api/v1/notifications/replay?receiver=team');
    expect((json as { replayed: number }).replayed).toBeGreaterThanOrEqual(2);
    await eventually(() => told('Mass1').length === 2 && told('Mass2').length === 2);
    await eventually(async () => (await page('state=delivered')).notifications.length > 2);
    expect((await page('state=dead')).notifications).toEqual([]);
  });
});

describe('GET /api/v1/notifications', () => {
  it('H7: pages by keyset are the whole list, once, the latest first', async () => {
    const whole = (await page('limit=1000')).notifications.map(({ id }) => id);
    expect(whole.length).toBeGreaterThan(4);
    const paged: string[] = [];
    for (let cursor: string | undefined, first = true; first || cursor; first = false) {
      const { notifications, next } = await page(`limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      paged.push(...notifications.map(({ id }) => id));
      cursor = next;
    }
    expect(paged).toEqual(whole);
    expect([...whole].sort().reverse()).toEqual(whole);
  });
});

describe('secrets', () => {
  it('C5: the address and the credentials of a receiver stand in no log line and no answer, whatever fails', async () => {
    await raise({ name: 'Unreachable', labels: { team: 'gone' } });
    const failed = await eventually(async () =>
      (await page('receiver=gone')).notifications.find(({ attempts }) => attempts > 0),
    );
    expect(failed.error).toMatch(/ECONNREFUSED|refused/);
    const paths = [
      '/api/v1/alerts',
      '/api/v1/notifications',
      '/api/v2/alerts',
      '/api/v2/status',
      `/api/v1/notifications/${failed.id}`,
    ];
    for (const path of paths) expect((await api.ask('GET', path)).text).not.toContain(PLANTED);
    expect(api.lines.length).toBeGreaterThan(50);
    expect(JSON.stringify(api.lines)).not.toContain(PLANTED);
  });

  it('C5: an API key stands in no log line, wherever a client puts it', async () => {
    const answers = [
      await api.ask('GET', `/api/v1/alerts/${keys.operator}`),
      await api.ask('GET', `/api/v1/alerts?filter=${keys.operator}`, { headers: { 'x-api-key': keys.operator } }),
      await api.ask('GET', `/${keys.ingest}`, {
        key: null,
        headers: { 'user-agent': keys.ingest, cookie: `key=${keys.ingest}` },
      }),
      await api.ask('POST', `/api/v1/alerts?token=${keys.ingest}`, {
        body: { name: 'Keyed', severity: keys.operator },
      }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 404, 400]);
    const text = JSON.stringify(api.lines);
    for (const key of [keys.ingest, keys.operator]) expect(text).not.toContain(key);
    expect(text).toContain('/[redacted]');
  });
});
