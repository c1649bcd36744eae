import { describe, expect, it } from '@jest/globals';
import { parseTemplate } from '../config/template.js';
import { listAlerts } from './alert-list.js';
import { renderPayload } from './payload.js';
import { renderer } from './render-template.js';
import { truncate } from './truncate.js';

type Alert = [status: 'firing' | 'resolved', labels: Record<string, string>, annotations?: Record<string, string>];

const payloadOf = (alerts: readonly Alert[], receiver = 'team') =>
  renderPayload({
    receiver,
    groupKey: '{}:{alertname="Slow"}',
    groupLabels: { alertname: 'Slow' },
    externalURL: 'https://hub.example.com/?a=1&b=2',
    alerts: alerts.map(([status, labels, annotations = {}]) => ({
      ...{ status, labels: { alertname: 'Slow', ...labels }, annotations, fingerprint: '' },
      ...{ startsAt: '2026-11-22T16:00:00Z', generatorURL: '' },
    })),
  });

const payload = payloadOf(
  [
    ['firing', { cluster: 'eu', host: 'a' }, { summary: 'A & <B>' }],
    ['firing', { cluster: 'eu', host: 'b' }, { summary: 'A & <B>' }],
    ['resolved', { cluster: 'eu', host: 'c' }, { summary: 'A & <B>' }],
  ],
  'team.(x)',
);

describe('a placeholder', () => {
  it.each([
    ['{title}', '[FIRING:2] Slow (eu)'],
    ['{status} {status|upper} {color}', 'firing FIRING danger'],
    ['{receiver}', 'team.(x)'],
    ['{externalURL}', 'https://hub.example.com/?a=1&b=2'],
    ['{alerts} {alerts.firing} {alerts.resolved}', '3 2 1'],
    ['{labels.cluster|upper}/{groupLabels.cluster}/{groupLabels.alertname}', 'EU//Slow'],
    ['{annotations.summary}', 'A & <B>'],
    ['[{labels.host}{labels.constructor}{annotations.none}]', '[]'],
    ['{list.resolved}', '• A & <B> (host=c)'],
    ['no placeholder', 'no placeholder'],
  ])('H7: %s becomes %s', (text, expected) => {
    expect(renderer(payload)(parseTemplate(text))).toBe(expected);
  });

  it('H7: is filled with what holds when all is over', () => {
    const over = payloadOf([['resolved', { cluster: 'eu' }]]);
    const text = parseTemplate('{title} {status} {color} {alerts.firing} [{list.firing}]');
    expect(renderer(over)(text)).toBe('[RESOLVED] Slow (eu) resolved good 0 []');
  });

  it('I4: is escaped, the text around it is not', () => {
    const shout = renderer(payload, (text) => text.replace(/[<>&]/g, '!'));
    expect(shout(parseTemplate('<b>{annotations.summary}</b> {externalURL}'))).toBe(
      '<b>A ! !B!</b> https://hub.example.com/?a=1!b=2',
    );
    expect(shout('<b>')).toBe('<b>');
  });
});

describe('the list of alerts', () => {
  it('H7: has a line each, with what tells them apart, firing ones first', () => {
    expect(listAlerts(payload)).toBe(
      ['Firing (2)', '• A & <B> (host=a)', '• A & <B> (host=b)', 'Resolved (1)', '• A & <B> (host=c)'].join('\n'),
    );
  });

  it.each<[string, Alert, string]>([
    ['summary', ['firing', {}, { description: 'd', summary: 's' }], '• s'],
    [
      'description, if the summary is blank',
      ['firing', {}, { description: 'two\nlines', summary: ' ' }],
      '• two lines',
    ],
    ['name, if no annotation does', ['firing', {}, { runbook: 'r' }], '• Slow'],
  ])('H7: says what is wrong by its %s', (_name, alert, expected) => {
    expect(listAlerts(payloadOf([alert]))).toBe(expected);
  });

  it('H7: is bounded in lines, of which resolved ones get some, and in length', () => {
    const many = (status: 'firing' | 'resolved', count: number): Alert[] =>
      Array.from({ length: count }, (_, index) => [status, { i: String(index) }, { summary: 'x'.repeat(60_000) }]);
    const lines = (alerts: Alert[]) => listAlerts(payloadOf(alerts)).split('\n');
    const all = lines(many('firing', 10_000));
    expect(all).toHaveLength(21);
    expect(all.at(-1)).toBe('… and 9980 more');
    expect(Math.max(...all.map((line) => line.length))).toBe(300);
    const both = lines([...many('firing', 100), ...many('resolved', 100)]);
    expect(both.filter((line) => line.startsWith('•'))).toHaveLength(20);
    expect([both[16], both[17], both.at(-1)]).toEqual(['… and 85 more', 'Resolved (100)', '… and 95 more']);
    expect(lines([...many('firing', 2), ...many('resolved', 2)])).toHaveLength(6);
  });
});

describe('a text that is too long', () => {
  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['🦅🦅🦅', 3, '🦅🦅🦅'],
    ['🦅🦅🦅🦅', 3, '🦅🦅…'],
    ['a🦅🦅🦅', 3, 'a🦅…'],
    ['', 3, ''],
  ])('H7: is cut between characters: %s to %i', (text, length, expected) => {
    expect(truncate(text, length)).toBe(expected);
  });
});
