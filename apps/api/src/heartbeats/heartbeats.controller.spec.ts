import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../test/harness/eventually.js';
import { keys, testApi, type TestApi } from '../../../../test/harness/api.js';

let api: TestApi;
beforeAll(async () => {
  api = await testApi({ worker: true });
});
afterAll(() => api.close());

const at = (name: string) => `/api/v1/heartbeats/${name}`;
const { ingest: key } = keys;

describe('H8: heartbeats over HTTP', () => {
  it('H8: raise an alert by silence, which the next beat resolves', async () => {
    const first = await api.ask('POST', at('cron'), { key, body: { period: '1s', grace: '0s' } });
    expect([first.status, first.json]).toEqual([200, expect.objectContaining({ state: 'alive', declared: false })]);
    const alert = async (state: string) =>
      ((await api.ask('GET', `/api/v1/alerts?state=${state}&filter=heartbeat="cron"`)).json as { alerts: object[] })
        .alerts[0];
    expect(await eventually(() => alert('firing'))).toMatchObject({ name: 'HeartbeatMissing', severity: 'critical' });
    expect((await api.ask('GET', at('cron'))).json).toMatchObject({ state: 'missing' });
    await api.ask('PUT', at('cron'), { body: { period: '1h' } });
    await api.ask('POST', at('cron'), { key });
    expect(await eventually(() => alert('resolved'))).toMatchObject({ name: 'HeartbeatMissing' });
  });

  it('H8: are kept alive by an alert that matches', async () => {
    await api.ask('PUT', at('prometheus'), { body: { period: '1h', matchers: ['alertname="Watchdog"'] } });
    await eventually(async () => {
      await api.ask('POST', '/api/v1/alerts', { key, body: { name: 'Watchdog' } });
      const { json } = await api.ask('GET', at('prometheus'));
      return (json as { state: string }).state === 'alive';
    });
  });

  it('H8: are declared, listed and removed by who may; each change is in the audit log', async () => {
    const body = { period: '24h', grace: '1h', severity: 'high', labels: { team: 'db' }, message: 'No backup' };
    expect((await api.ask('PUT', at('backup'), { key, body })).status).toBe(403);
    const declared = await api.ask('PUT', at('backup'), { body });
    expect([declared.status, declared.json]).toEqual([
      200,
      expect.objectContaining({
        ...body,
        period: '1d',
        name: 'backup',
        state: 'waiting',
        lastBeatAt: null,
        matchers: [],
      }),
    ]);
    const { json } = await api.ask('GET', '/api/v1/heartbeats?limit=1');
    expect(json).toMatchObject({ heartbeats: [{ name: 'backup' }], next: 'backup' });
    expect((await api.ask('DELETE', at('backup'), { key })).status).toBe(403);
    expect((await api.ask('DELETE', at('backup'))).status).toBe(204);
    for (const method of ['GET', 'POST', 'DELETE']) expect((await api.ask(method, at('backup'))).status).toBe(404);
    const audit = (await api.ask('GET', '/api/v1/audit?subject=heartbeat:backup')).json as {
      entries: { action: string }[];
    };
    expect(audit.entries.map(({ action }) => action)).toEqual(['heartbeat.removed', 'heartbeat.declared']);
  });

  it.each([
    ['PUT', 'x', {}, ['/period']],
    [
      'PUT',
      'x',
      { period: '0s', grace: 'soon', severity: 'fatal', more: 1 },
      ['/period', '/grace', '/severity', '/more'],
    ],
    ['PUT', 'x', { period: '1m', labels: { alertname: 'x' } }, ['/labels']],
    ['PUT', 'x', { period: '1m', matchers: ['a=~"("', '{}'] }, ['/matchers/0', '/matchers/1']],
    ['PUT', 'x', { period: '1m', message: 'a\0b' }, ['/message']],
    ['POST', 'x', { period: 60 }, ['/period']],
    ['POST', '%2e%2e%2fetc', {}, ['']],
    ['GET', 'a%00b', undefined, ['']],
    ['DELETE', '-x', undefined, ['']],
  ])('H8: %s of %j with %j is refused with its place', async (method, name, body, pointers) => {
    const { status, json } = await api.ask(method, at(name), body === undefined ? {} : { body });
    expect([status, (json as { errors: { pointer: string }[] }).errors.map(({ pointer }) => pointer)]).toEqual([
      400,
      pointers,
    ]);
  });
});
