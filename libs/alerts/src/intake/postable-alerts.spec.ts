import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fingerprint } from '../config/index.js';
import { parsePostableAlerts } from './postable-alerts.js';

const now = Date.parse('2020-03-01T12:00:00Z');
const HOUR = 3_600_000;
const parse = (body: unknown) => parsePostableAlerts(body, { now, resolveTimeoutMs: 300_000 });
const one = (alert: object) => parse([{ labels: { alertname: 'A' }, ...alert }]);
const iso = (offset: number) => new Date(now + offset).toISOString();

describe("H2: Alertmanager's defaults", () => {
  it.each<[string, object, object]>([
    [
      'no times: from now until resolve_timeout',
      {},
      { startsAt: now, endsAt: now + 300_000, timeout: true, startUnknown: true },
    ],
    [
      'an end that has passed: a start at the end',
      { endsAt: iso(-HOUR) },
      { startsAt: now - HOUR, endsAt: now - HOUR, timeout: false, startUnknown: true },
    ],
    ['an end to come: from now', { endsAt: iso(HOUR) }, { startsAt: now, endsAt: now + HOUR, timeout: false }],
    [
      'a start alone',
      { startsAt: iso(-HOUR) },
      { startsAt: now - HOUR, endsAt: now + 300_000, timeout: true, startUnknown: false },
    ],
    [
      "Go's zero time: not given",
      { startsAt: '0001-01-01T00:00:00Z', endsAt: '0001-01-01T00:00:00.000Z' },
      { startsAt: now, timeout: true },
    ],
    [
      'null and empty: not given',
      { startsAt: null, endsAt: '', annotations: null, generatorURL: null },
      { startsAt: now, annotations: {}, generatorUrl: '' },
    ],
    [
      'nanoseconds and offsets',
      { startsAt: '2020-03-01T12:30:00.123456789+01:00' },
      { startsAt: now - HOUR / 2 + 123 },
    ],
    ['labels without a value are dropped', { labels: { alertname: 'A', empty: '' } }, { labels: { alertname: 'A' } }],
    ['annotations without a value are kept', { annotations: { empty: '' } }, { annotations: { empty: '' } }],
    [
      'names of any script',
      { labels: { имя: 'Ж', 'größe-🦅': '1', '0': 'x' } },
      { labels: { имя: 'Ж', 'größe-🦅': '1', '0': 'x' } },
    ],
    [
      'names of things that objects have',
      { labels: JSON.parse('{"__proto__":"x","constructor":"y"}') as object },
      { labels: JSON.parse('{"__proto__":"x","constructor":"y"}') as object },
    ],
    ['fields that nobody knows', { unknown: { deep: [1] } }, { labels: { alertname: 'A' } }],
  ])('%s', (_title, alert, expected) => {
    const { alerts, faults } = one(alert);
    expect(faults).toEqual([]);
    expect(alerts[0]).toMatchObject(expected);
    expect(() => fingerprint(alerts[0]!.labels)).not.toThrow();
  });
});

describe('H2: each fault is named with its place', () => {
  const labels = (value: unknown) => ({ labels: value });
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`l${index}`, 'x']));
  it.each<[string, object, string, RegExp]>([
    ['labels that are a list', labels([]), '/0/labels', /object of strings, not an array/],
    ['labels that are a text', labels('A'), '/0/labels', /not a string/],
    ['no labels', labels({}), '/0/labels', /at least one label/],
    ['null for labels', labels(null), '/0/labels', /at least one label/],
    ['only labels without a value', labels({ a: '' }), '/0/labels', /at least one label/],
    ['a number for a label', labels({ a: 1 }), '/0/labels/a', /must be a string, not a number/],
    ['null for a label', labels({ a: null }), '/0/labels/a', /not null/],
    ['a name with / and ~', labels({ 'a/b~c': 1 }), '/0/labels/a~1b~0c', /must be a string/],
    ['a label without a name', labels({ '': 'x' }), '/0/labels', /label without a name/],
    ['NUL in a value', labels({ a: 'x\0' }), '/0/labels/a', /NUL/],
    ['NUL in a name', labels({ 'a\0': 'x' }), '/0/labels/a\0', /NUL/],
    ['half a surrogate pair in a value', labels({ a: '\ud83e' }), '/0/labels/a', /surrogate/],
    ['half a surrogate pair in a name', labels({ '\udd85': 'a' }), '/0/labels/\udd85', /surrogate/],
    ['10,000 labels', labels(many(10_000)), '/0/labels', /holds 10000 labels; 128 are allowed/],
    ['a long value', labels({ a: 'x'.repeat(4_097) }), '/0/labels/a', /4097 characters long; 4096/],
    ['a long name', labels({ ['x'.repeat(257)]: 'a' }), `/0/labels/${'x'.repeat(64)}`, /257 characters long; 256/],
    [
      'an alertname that no index could hold',
      labels({ alertname: 'x'.repeat(513) }),
      '/0/labels/alertname',
      /513 characters long; 512/,
    ],
    ['an object for an annotation', { annotations: { a: {} } }, '/0/annotations/a', /must be a string/],
    ['NUL in an annotation', { annotations: { a: '\0' } }, '/0/annotations/a', /NUL/],
    ['200 annotations', { annotations: many(200) }, '/0/annotations', /holds 200 annotations/],
    ['a long annotation', { annotations: { a: 'x'.repeat(65_537) } }, '/0/annotations/a', /65536 are allowed/],
    ['a number for a URL', { generatorURL: 7 }, '/0/generatorURL', /must be a string/],
    ['NUL in a URL', { generatorURL: 'http://x/\0' }, '/0/generatorURL', /NUL/],
    ['a time that is none', { startsAt: 'yesterday' }, '/0/startsAt', /RFC 3339/],
    ['a time without a zone', { startsAt: '2020-03-01T12:00:00' }, '/0/startsAt', /RFC 3339/],
    ['a day that no month has', { startsAt: '2026-02-30T12:00:00Z' }, '/0/startsAt', /RFC 3339/],
    ['a number for a time', { endsAt: 1_772_366_400 }, '/0/endsAt', /RFC 3339/],
    ['an end before the start', { startsAt: iso(0), endsAt: iso(-1) }, '/0/endsAt', /before startsAt/],
    ['a start a year ahead', { startsAt: iso(365 * 24 * HOUR) }, '/0/startsAt', /clock/],
    ['an end two years ahead', { endsAt: iso(730 * 24 * HOUR) }, '/0/endsAt', /clock/],
    ['an end a year behind', { startsAt: iso(-366 * 24 * HOUR), endsAt: iso(-365 * 24 * HOUR) }, '/0/endsAt', /clock/],
  ])('%s', (_title, alert, pointer, detail) => {
    const { alerts, faults } = one(alert);
    expect(faults).toEqual([{ pointer, detail: expect.stringMatching(detail) }]);
    expect(alerts).toEqual([]);
  });

  it.each([null, undefined, 7, 'x', {}, true])('a body that is %j', (body) => {
    expect(parse(body).faults).toMatchObject([{ pointer: '', detail: expect.stringMatching(/must be an array/) }]);
  });

  it.each([null, 7, 'x', []])('an alert that is %j', (alert) => {
    expect(parse([alert]).faults).toMatchObject([{ pointer: '/0', detail: expect.stringMatching(/alert object/) }]);
  });

  it('more alerts than one request may hold', () => {
    expect(parse(new Array(10_001).fill({})).faults).toMatchObject([{ pointer: '', detail: /10000 are allowed/ }]);
  });

  it('all faults of all alerts, up to a hundred, beside the alerts that have none', () => {
    const good = { labels: { alertname: 'A' } };
    const bad = { labels: { a: 1, b: 2 }, startsAt: 'x' };
    const { alerts, faults } = parse([good, bad, good]);
    expect(alerts).toHaveLength(2);
    expect(faults.map(({ pointer }) => pointer)).toEqual(['/1/labels/a', '/1/labels/b', '/1/startsAt']);
    expect(parse(new Array(200).fill(bad)).faults).toHaveLength(100);
    expect(parse([...new Array<object>(200).fill(bad), bad]).alerts).toEqual([]);
  });
});

it('H2: whatever JSON comes is either taken or refused with a place in it', () => {
  const alert = fc.record(
    {
      labels: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.jsonValue()),
      startsAt: fc.jsonValue(),
      endsAt: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.array(alert)), (body) => {
      const { alerts, faults } = parse(body);
      if (Array.isArray(body) && faults.length < 100) {
        const refused = new Set(faults.map(({ pointer }) => pointer.split('/')[1]));
        expect(alerts.length + refused.size).toBe(body.length);
      }
      for (const { labels, startsAt, endsAt } of alerts) {
        expect(Object.values(labels).every((value) => typeof value === 'string' && value !== '')).toBe(true);
        expect(startsAt).toBeLessThanOrEqual(Math.max(endsAt, now));
      }
    }),
    { numRuns: 500 },
  );
});
