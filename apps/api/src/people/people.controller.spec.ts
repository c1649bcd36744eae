import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keys, testApi, type TestApi } from '../../../../test/harness/api.js';

const ID = '0198c1a2-0000-7000-8000-000000000001';
const soon = () => new Date(Date.now() + 3_600_000).toISOString();

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
afterAll(() => api.close());

async function raised(name: string): Promise<string> {
  await api.ask('POST', '/api/v1/alerts', { body: { name } });
  const { json } = await api.ask('GET', `/api/v1/alerts?filter=alertname="${name}"`);
  return (json as { alerts: { id: string }[] }).alerts[0]!.id;
}

const act = (id: string, action: string, body?: unknown, key = keys.operator) =>
  api.ask('POST', `/api/v1/alerts/${id}/${action}`, { key, ...(body !== undefined && { body }) });

interface Details {
  events: { type: string; actor: string; data: Record<string, unknown> | null }[];
}

describe('H6: what people do about an alert', () => {
  it('H6: is answered with how it is now, stands in its history, and in the audit log with who and from where', async () => {
    const id = await raised('Disk');
    const headers = { 'user-agent': 'a-phone' };
    const acknowledged = await api.ask('POST', `/api/v1/alerts/${id}/acknowledge`, {
      body: { text: ' Looking ' },
      headers,
    });
    const who = { acknowledgedBy: 'key:OPERATOR_KEY', acknowledgedAt: expect.any(String) };
    expect([acknowledged.status, acknowledged.json]).toEqual([
      200,
      { id, state: 'firing', ...who, snoozedUntil: null },
    ]);
    expect((await api.ask('GET', `/api/v1/alerts/${id}`)).json).toMatchObject(who);
    expect((await act(id, 'unacknowledge')).json).toMatchObject({ acknowledgedBy: null });
    const until = soon();
    expect((await act(id, 'snooze', { until })).json).toMatchObject({ snoozedUntil: until });
    expect((await act(id, 'snooze', { until: null })).json).toMatchObject({ snoozedUntil: null });
    expect((await act(id, 'snooze', { for: '8h' })).json).toMatchObject({ snoozedUntil: expect.any(String) });
    expect((await act(id, 'comment', { text: 'The log' })).status).toBe(200);
    expect((await act(id, 'resolve', {})).json).toMatchObject({ state: 'resolved' });

    const { events } = (await api.ask('GET', `/api/v1/alerts/${id}`)).json as Details;
    const types = ['acknowledged', 'unacknowledged', 'snoozed', 'snoozed', 'snoozed', 'commented', 'resolved'];
    expect(events.map(({ type }) => type)).toEqual(['fired', ...types]);
    const from = { address: '127.0.0.1', userAgent: 'a-phone', requestId: acknowledged.headers.get('x-request-id') };
    expect(events[1]).toMatchObject({ actor: 'key:OPERATOR_KEY', data: { text: 'Looking', ...from } });

    const audit = (await api.ask('GET', `/api/v1/audit?subject=alert:${id}&limit=6`)).json as {
      entries: { action: string }[];
      next: string;
    };
    expect(audit.entries.map(({ action }) => action)).toEqual(
      types
        .slice(1)
        .map((type) => `alert.${type}`)
        .reverse(),
    );
    const rest = await api.ask('GET', `/api/v1/audit?subject=alert:${id}&cursor=${audit.next}`);
    expect(rest.json).toMatchObject({
      entries: [{ action: 'alert.acknowledged', actor: 'key:OPERATOR_KEY', ...from }],
    });
  });

  it('H6: is a conflict where the episode is over, and no alert’s where there is none', async () => {
    const id = await raised('Over');
    await act(id, 'resolve');
    for (const [action, body] of [
      ['acknowledge', {}],
      ['snooze', { until: soon() }],
    ] as const) {
      expect(await act(id, action, body)).toMatchObject({
        status: 409,
        json: { type: 'urn:eyrie:problem:alert-ended' },
      });
    }
    for (const action of ['unacknowledge', 'resolve']) expect((await act(id, action)).status).toBe(200);
    expect((await act(id, 'comment', { text: 'after' })).status).toBe(200);
    expect(await act(ID, 'acknowledge')).toMatchObject({
      status: 404,
      json: { type: 'urn:eyrie:problem:alert-not-found' },
    });
    expect((await act('x', 'acknowledge')).status).toBe(400);
  });

  it.each([
    ['comment', {}, '/text'],
    ['comment', { text: '   ' }, '/text'],
    ['comment', { text: 'a\0b' }, '/text'],
    ['comment', { text: '\ud800' }, '/text'],
    ['comment', { text: 'x'.repeat(20_000) }, '/text'],
    ['acknowledge', { text: 7 }, '/text'],
    ['acknowledge', { by: 'somebody else' }, '/by'],
    ['snooze', {}, '/until'],
    ['snooze', { until: soon(), for: '1h' }, '/until'],
    ['snooze', { for: 'long' }, '/for'],
    ['snooze', { for: '0s' }, '/for'],
    ['snooze', { for: '2y' }, '/for'],
    ['snooze', { until: 'tomorrow' }, '/until'],
    ['snooze', { until: '2020-01-01T00:00:00Z' }, '/until'],
    ['snooze', { until: '9999-01-01T00:00:00Z' }, '/until'],
  ])('H6: %s of %j is refused with its place', async (action, body, pointer) => {
    const { status, json } = await act(ID, action, body);
    expect([status, (json as { errors: { pointer: string }[] }).errors.map((fault) => fault.pointer)]).toEqual([
      400,
      [pointer],
    ]);
  });

  it('I2: needs the scope to respond; the audit log is for who manages', async () => {
    const id = await raised('Closed');
    expect((await act(id, 'acknowledge', {}, keys.ingest)).status).toBe(403);
    expect((await api.ask('GET', '/api/v1/audit', { key: keys.ingest })).status).toBe(403);
    expect((await api.ask('GET', '/api/v1/audit?cursor=x&limit=0&who=me')).status).toBe(400);
  });
});
