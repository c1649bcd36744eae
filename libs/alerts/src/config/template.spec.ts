import { describe, expect, it } from '@jest/globals';
import { holdsPlaceholder, parseTemplate, type Template } from './template.js';

describe('a text with placeholders', () => {
  it.each<[string, Template]>([
    ['nothing to fill in', 'nothing to fill in'],
    ['', ''],
    ['{status}', [{ name: 'status' }]],
    ['a {title} b{list.firing}', ['a ', { name: 'title' }, ' b', { name: 'list.firing' }]],
    [
      '{ status | upper }: {alerts.firing|upper}',
      [{ name: 'status', upper: true }, ': ', { name: 'alerts.firing', upper: true }],
    ],
    [
      '{labels.alertname}{groupLabels.a}',
      [
        { name: 'labels', key: 'alertname' },
        { name: 'groupLabels', key: 'a' },
      ],
    ],
    ['{annotations.größe}', [{ name: 'annotations', key: 'größe' }]],
    ['{labels.service.name}', [{ name: 'labels', key: 'service.name' }]],
  ])('H7: %j', (text, expected) => {
    expect(parseTemplate(text)).toEqual(expected);
  });

  it.each([
    ['JSON', '{"a": {"b": 1}}'],
    ['CSS', 'p{color:red} a{}'],
    ['braces alone', '{ } } {'],
    ['more than one word', '{not a placeholder}'],
  ])('H7: leaves %s as it is', (_name, text) => {
    expect(parseTemplate(text)).toBe(text);
  });

  it.each([
    [String.raw`\{status} and \{anything|else}`, '{status} and {anything|else}'],
    [String.raw`C:\dir \\ \{"a":1}`, String.raw`C:\dir \\ \{"a":1}`],
  ])(
    'H7: %s: a backslash makes what looks like a placeholder plain text, and is itself elsewhere',
    (text, expected) => {
      expect(parseTemplate(text)).toBe(expected);
    },
  );

  it.each([
    ['{Status}', 'unknown placeholder {Status}'],
    ['a {label.x} b', 'unknown placeholder {label.x}'],
    ['{labels}', 'unknown placeholder {labels}'],
    ['{constructor}', 'unknown placeholder {constructor}'],
    ['{status|lower}', 'unknown filter in {status|lower}'],
  ])('H7: refuses %s by name', (text, fault) => {
    expect(() => parseTemplate(text)).toThrow(fault);
  });

  it.each([
    ['{labels.owner}@example.org', true],
    [String.raw`\{status}`, true],
    ['{owner}@example.org', false],
    ['ops@example.org', false],
  ])('H7: a field without placeholders can tell that %s holds one: %s', (text, holds) => {
    expect(holdsPlaceholder(text)).toBe(holds);
  });
});

describe("Go's template language", () => {
  it.each([
    ['{{ .Status }}', '{status}'],
    ['{{.Status|toUpper}}', '{status|upper}'],
    ['{{ .Receiver }} {{ .ExternalURL }}', '{receiver} {externalURL}'],
    ['{{ .CommonLabels.x }}{{ .GroupLabels.x_1 }}', '{labels.x}{groupLabels.x_1}'],
    ['{{ .CommonAnnotations.summary | toUpper }}', '{annotations.summary|upper}'],
    [
      '{{ .Alerts | len }}/{{ len .Alerts.Firing }}/{{ .Alerts.Resolved | len }}',
      '{alerts}/{alerts.firing}/{alerts.resolved}',
    ],
    ['{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}', '{color}'],
    ['{{ template "slack.default.title" . }} | {{ template "__alertmanagerURL" .}}', '{title} | {externalURL}'],
    ['{{ template "slack.default.fallback" . }}', '{title} | {externalURL}'],
    ['{{ template "pagerduty.default.instances" .Alerts.Firing }}', '{list.firing}'],
    ['{{ .Alerts.Resolved | toJson }}', '{list.resolved}'],
    ['{{ template "pagerduty.default.client" . }}{{ template "slack.default.pretext" . }}', 'Eyrie'],
  ])('H7: %s means %s', (go, ours) => {
    expect(parseTemplate(go)).toEqual(parseTemplate(ours));
  });

  it.each([
    '{{ range .Alerts }}{{ end }}',
    '{{ if .Alerts }}',
    '{{- .Status -}}',
    '{{ .Labels.x }}',
    '{{ .CommonLabels.SortedPairs }}',
    '{{ .CommonLabels.x | title }}',
    '{{ template "our.title" . }}',
    '{{ template "constructor" . }}',
    '{{ constructor }}',
    '{{ template "slack.default.title" .Alerts }}',
    '{{labels.x}}',
    '{{',
    '{{ .Status }',
  ])('H7: refuses the rest by name: %s', (text) => {
    const named = /\{\{[^]*?(?:\}\}|$)/.exec(text)![0];
    expect(() => parseTemplate(`before {status} ${text}`)).toThrow(`not supported: ${named.trim()} (Go's`);
  });

  it('H7: a long action is named by its beginning', () => {
    expect(() => parseTemplate(`{{ ${'x'.repeat(5000)} }}`)).toThrow(/^not supported: \{\{ x{57}… \(Go/);
  });
});
