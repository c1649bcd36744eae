import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareAlerts } from './alert-order.js';
import { type PayloadParts, renderPayload } from './payload.js';

type Alert = PayloadParts['alerts'][number];

const alert = (labels: Record<string, string>, more: Partial<Alert> = {}): Alert => ({
  status: 'firing',
  labels,
  annotations: {},
  startsAt: '2026-11-22T16:00:00Z',
  endsAt: '2026-11-22T17:00:00Z',
  generatorURL: '',
  fingerprint: '0123456789abcdef',
  ...more,
});
const render = (alerts: Alert[], more: Partial<PayloadParts> = {}) =>
  renderPayload({
    receiver: 'team',
    groupKey: '{}:{a="b"}',
    groupLabels: { a: 'b' },
    externalURL: 'http://hub',
    alerts,
    ...more,
  });

describe('renderPayload', () => {
  it('H7: has the fields of version 4', () => {
    const labels = { alertname: 'Down', job: 'api' };
    expect(render([alert(labels, { annotations: { summary: 'it is' }, generatorURL: 'http://p/g' })])).toEqual({
      version: '4',
      groupKey: '{}:{a="b"}',
      truncatedAlerts: 0,
      status: 'firing',
      receiver: 'team',
      groupLabels: { a: 'b' },
      commonLabels: labels,
      commonAnnotations: { summary: 'it is' },
      externalURL: 'http://hub',
      alerts: [
        {
          status: 'firing',
          labels,
          annotations: { summary: 'it is' },
          startsAt: '2026-11-22T16:00:00Z',
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: 'http://p/g',
          fingerprint: '0123456789abcdef',
        },
      ],
    });
  });

  it('H7: is firing if any alert is, and gives the end of those that are not', () => {
    const resolved = alert({ n: '2' }, { status: 'resolved' });
    expect(render([resolved, alert({ n: '1' })])).toMatchObject({
      status: 'firing',
      alerts: [{ endsAt: '0001-01-01T00:00:00Z' }, { endsAt: '2026-11-22T17:00:00Z' }],
    });
    expect(render([resolved]).status).toBe('resolved');
  });

  it('H7: names as common what all alerts share, with the same value', () => {
    const { commonLabels, commonAnnotations } = render([
      alert({ x: '1', y: '2', z: '3' }, { annotations: { s: 'one', r: 'book' } }),
      alert({ x: '1', y: '9' }, { annotations: { s: 'two', r: 'book' } }),
    ]);
    expect([commonLabels, commonAnnotations]).toEqual([{ x: '1' }, { r: 'book' }]);
  });

  it('H4: sends max_alerts of them, counts the rest, and sums up only what is sent', () => {
    const alerts = [alert({ n: '2', x: '1' }), alert({ n: '1', x: '1' }, { status: 'resolved' })];
    expect(render(alerts, { maxAlerts: 1 })).toMatchObject({
      status: 'resolved',
      truncatedAlerts: 1,
      alerts: [{ labels: { n: '1' } }],
      commonLabels: { n: '1', x: '1' },
    });
    expect(render(alerts, { maxAlerts: 2 }).truncatedAlerts).toBe(0);
    expect(render(alerts, { maxAlerts: 0 }).alerts).toHaveLength(2);
  });

  it('H7: says why, as Alertmanager 0.33 does, when it is told', () => {
    expect(render([], { reason: 'repeat interval elapsed' }).notification_reason).toBe('repeat interval elapsed');
    expect(render([])).not.toHaveProperty('notification_reason');
  });

  it("H4: writes the receiver's name as Alertmanager does, escaped for a regular expression", () => {
    expect(render([], { receiver: 'team-x/a.b (eu)' }).receiver).toBe('team-x/a\\.b \\(eu\\)');
  });
});

describe('the order of alerts', () => {
  const sorted = (...labels: Record<string, string>[]) => labels.toSorted(compareAlerts);

  it('H4: goes by job, then by instance; an alert without one comes after those with it', () => {
    const [a1, a2, b1, none] = [
      { job: 'a', instance: '1', z: '' },
      { job: 'a', instance: '2' },
      { job: 'b', instance: '1' },
      { x: '1' },
    ];
    const withoutInstance = { job: 'a' };
    expect(sorted(none, b1, withoutInstance, a2, a1)).toEqual([a1, a2, withoutInstance, b1, none]);
  });

  it('H4: then by the number of labels, then by the first label that differs', () => {
    const [few, lacks, small, large] = [{ z: '1' }, { b: '1', c: '1' }, { a: '1', c: '1' }, { a: '2', b: '1' }];
    expect(sorted(large, small, lacks, few)).toEqual([few, lacks, small, large]);
  });

  it('H4: is that in which Alertmanager 0.33.1 sent these alerts', () => {
    const others = ['🦅', '\uffee', 'z', 'x', 'toString', 'constructor'].map((name) => ({ [name]: '1' }));
    const sent = [
      { job: 'a', instance: '1', z: '1' },
      { job: 'a', instance: '2' },
      { job: 'a' },
      ...others,
      { a: '\uffee' },
      { a: '🦅' },
    ].map((labels) => ({ cluster: 'c', alertname: 'A', ...labels }));
    expect(sorted(...sent.toReversed())).toEqual(sent);
    expect(sorted(...sent.toSorted(() => -1))).toEqual(sent);
  });

  it('H4: goes by the bytes of UTF-8, as in Go, and knows labels that objects have by nature', () => {
    expect(sorted({ a: '🦅' }, { a: '\uffee' })).toEqual([{ a: '\uffee' }, { a: '🦅' }]);
    expect(sorted({ constructor: 'x' }, { toString: 'x' })).toEqual([{ toString: 'x' }, { constructor: 'x' }]);
  });

  it('H4: is an order: antisymmetric and transitive', () => {
    const labels = fc.dictionary(
      fc.constantFrom('job', 'instance', 'a', 'b', 'constructor'),
      fc.constantFrom('1', '2', 'é'),
    );
    fc.assert(
      fc.property(labels, labels, labels, (one, two, three) => {
        expect(Math.sign(compareAlerts(one, two))).toBe(-Math.sign(compareAlerts(two, one)) + 0);
        if (compareAlerts(one, two) <= 0 && compareAlerts(two, three) <= 0) {
          expect(compareAlerts(one, three)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });
});
