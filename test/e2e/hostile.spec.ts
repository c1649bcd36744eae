import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { type Answer, keys, testApi, type TestApi } from '../harness/api.js';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
interface Entrance {
  path: string;
  accepted: number;
  /** A body around one alert. */
  around: (alert: Json) => Json;
  /** Where that alert stands. */
  at: string;
  valid: Record<string, Json>;
}

const postable = {
  ...{ labels: { alertname: 'Hostile', host: 'a' }, annotations: { summary: 'b' }, generatorURL: 'http://c' },
  startsAt: new Date(Date.now() - 60_000).toISOString(),
  endsAt: new Date(Date.now() + 60_000).toISOString(),
};
const { startsAt, endsAt } = postable;
const request = {
  ...{ name: 'Hostile', severity: 'low', message: 'a', generatorURL: 'http://c', startsAt, endsAt },
  ...{ labels: { host: 'a' }, details: { runbook: 'b' } },
};
const entrances: Entrance[] = [
  { path: '/api/v1/alerts', accepted: 202, around: (alert) => [alert], at: '/0', valid: request },
  { path: '/api/v2/alerts', accepted: 200, around: (alert) => [alert], at: '/0', valid: postable },
  {
    path: '/api/v1/integrations/alertmanager',
    ...{
      accepted: 202,
      around: (alert: Json) => ({ version: '4', alerts: [alert] }),
      at: '/alerts/0',
      valid: postable,
    },
  },
];

let api: TestApi;
beforeAll(async () => (api = await testApi()));
afterEach(async () => {
  expect((await api.ask('GET', '/health/ready', { key: null })).status).toBe(200);
  const lines = api.lines.splice(0);
  expect(lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
});
afterAll(() => api.close());

const post = (path: string, body: unknown, headers?: Record<string, string>) =>
  api.ask('POST', path, { key: keys.ingest, body, headers });

/** The answer's places of faults, as a problem lists them and as Alertmanager's JSON string tells them. */
function faults({ status, json }: Answer): string {
  expect([status, json !== undefined]).toEqual([400, true]);
  if (typeof json === 'string') return json;
  const {
    title,
    detail,
    errors = [],
  } = json as { title: string; detail?: string; errors?: { pointer: string; detail: string }[] };
  return [title, detail, ...errors.map((error) => `${error.pointer} ${error.detail}`)].join('; ');
}

/** Each value within, by its JSON pointer's steps. */
function* positions(value: Json, steps: string[] = []): Generator<string[]> {
  if (steps.length > 0) yield steps;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) yield* positions(child, [...steps, key]);
}

function withValue(value: Json, [step, ...rest]: string[], replacement: unknown): Json {
  if (step === undefined) return replacement as Json;
  const copy = structuredClone(value) as Record<string, Json>;
  copy[step] = withValue(copy[step]!, rest, replacement);
  return copy;
}

describe.each(entrances)('POST $path', ({ path, accepted, around, at, valid }) => {
  const send = (change: Record<string, unknown>) => post(path, around({ ...valid, ...change } as Json));

  it('H2: takes a valid body', async () => {
    expect((await post(path, around(valid))).status).toBe(accepted);
  });

  it('H2: refuses a value of the wrong type wherever it stands, and names the place', async () => {
    for (const steps of positions(valid)) {
      for (const wrong of [7, true, [], [1], { deep: { deeper: 1 } }, -0.5e300]) {
        const answer = await post(path, around(withValue(valid, steps, wrong)));
        const isAllowed = answer.status === accepted && typeof wrong === 'object';
        // An empty object of texts is one; nothing else may pass.
        if (isAllowed) expect([steps, wrong]).toEqual([[expect.stringMatching(/^(annotations|labels|details)$/)], {}]);
        else
          expect([steps, wrong, faults(answer)]).toEqual([steps, wrong, expect.stringContaining(`${at}/${steps[0]}`)]);
      }
    }
  });

  it('B3: refuses 10 MB with 413 and goes on', async () => {
    const answer = await post(path, Buffer.alloc(10_000_000, 0x20));
    expect(answer.status).toBe(413);
    expect(answer.text).toContain('A body may have at most 2MiB');
  });

  it.each([
    ['arrays', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['objects', '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)],
    ['arrays without an end', '['.repeat(100_000)],
  ])('H2: refuses %s nested 10,000 deep', async (_title, body) => {
    expect(faults(await post(path, body))).toMatch(/Nested deeper than 64 levels|Unexpected end of text/);
  });

  it('H2: refuses 10,000 labels, naming the limit', async () => {
    const labels = Object.fromEntries(Array.from({ length: 10_000 }, (_, number) => [`label_${number}`, 'x']));
    expect(faults(await send({ labels: { ...(valid.labels as object), ...labels } }))).toMatch(
      /\/labels.* (128 are allowed|more than 126)/,
    );
  });

  it('H2: refuses 10,001 alerts, and takes 10,000 at once', async () => {
    const [alert] = [{ ...(path === '/api/v1/alerts' ? { name: 'Many' } : { labels: { alertname: 'Many' } }) }];
    const many = (count: number) => {
      const alerts: Json = Array.from({ length: count }, () => alert);
      return path.endsWith('alertmanager') ? { version: '4', alerts } : alerts;
    };
    expect(faults(await post(path, many(10_001)))).toMatch(/10,?000/);
    expect((await post(path, many(10_000))).status).toBe(accepted);
  });

  it.each([
    ['NUL', 'a\u0000b', /U\+0000/],
    ['half a surrogate pair', 'a\ud800b', /surrogate pair/],
    ['5,000 characters', 'x'.repeat(5_000), /4,?096/],
  ])('H2: refuses %s in a label, as value and as name, and names the place', async (_title, text, reason) => {
    const labels = valid.labels as object;
    const place = new RegExp(`${at}/labels/`);
    for (const change of [
      { ...labels, odd: text },
      { ...labels, [text]: 'odd' },
    ]) {
      const told = faults(await send({ labels: change }));
      expect(told).toMatch(place);
      if (!(text.length > 4_096)) expect(told).toMatch(reason);
      expect(told.length).toBeLessThan(2_000);
    }
  });

  it('H2: takes the longest values that it allows, however little they compress', async () => {
    const long = (bytes: number) => randomBytes(bytes / 2).toString('hex');
    const name = long(512);
    const change =
      path === '/api/v1/alerts'
        ? { name, labels: { long: long(4_096) } }
        : { labels: { alertname: name, severity: long(4_096) } };
    expect((await send(change)).status).toBe(accepted);
  });

  it.each([
    ['a byte that begins no character', Buffer.from([0xff]), 0],
    ['an overlong slash', Buffer.from([0xc0, 0xaf]), 0],
    ['a character cut short', Buffer.from([0xe2, 0x82]), 0],
  ])('H2: refuses %s, and names its offset', async (_title, bytes) => {
    const [before, after] = JSON.stringify(around(valid)).split('Hostile') as [string, string];
    const body = Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
    expect(faults(await post(path, body))).toContain(`The first bad byte is at offset ${Buffer.byteLength(before)}.`);
  });

  it('H2: refuses keys that reach for prototypes', async () => {
    const text = JSON.stringify(around(valid)).replace('"host"', '"__proto__"');
    expect(faults(await post(path, text))).toContain('/labels/__proto__');
    expect(faults(await post(path, around({ ...valid, constructor: { prototype: { polluted: 1 } } })))).toContain(
      'constructor',
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each([
    [
      'a start a year ahead',
      { startsAt: new Date(Date.now() + 366 * 86_400_000).toISOString(), endsAt: undefined },
      'startsAt',
    ],
    [
      'an end a year behind',
      { startsAt: undefined, endsAt: new Date(Date.now() - 366 * 86_400_000).toISOString() },
      'endsAt',
    ],
    ['an end long ahead', { endsAt: '9999-12-31T23:59:59Z' }, 'endsAt'],
    ['an end before the start', { startsAt: endsAt, endsAt: startsAt }, 'endsAt'],
    ['a day that is none', { startsAt: '2026-13-45T00:00:00Z' }, 'startsAt'],
    ['seconds since 1970', { startsAt: '1763800000' }, 'startsAt'],
    ['a year beyond four digits', { startsAt: '+275760-09-13T00:00:00Z' }, 'startsAt'],
  ])('H2: refuses %s, and names the place', async (_title, change, field) => {
    expect(faults(await send(change))).toContain(`${at}/${field}`);
  });

  it.each(['[{"labels": {"alertname": "a"', '[,]', "[{'labels': 1}]", '[1e]', '[NaN]', '[{"a": 1}', '', '\ufeff'])(
    'H2: refuses what is no JSON, and names line and column: %s',
    async (body) => {
      expect(faults(await post(path, body))).toMatch(/at line \d+, column \d+|The body is empty/);
    },
  );

  it('H2: refuses numbers that no number can hold, where a text is wanted', async () => {
    const text = JSON.stringify(around(valid)).replace('"a"', `1${'0'.repeat(400)}`);
    expect(faults(await post(path, text))).toContain(at);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml'])(
    'H2: answers 415 to %s',
    async (type) => {
      expect((await post(path, 'name=Hostile', { 'content-type': type })).status).toBe(415);
    },
  );
});
