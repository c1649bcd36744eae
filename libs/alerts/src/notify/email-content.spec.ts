import { describe, expect, it } from '@jest/globals';
import { parseTemplate } from '../config/template.js';
import { renderEmail } from './email-content.js';
import { renderPayload } from './payload.js';

type Status = 'firing' | 'resolved';

const render = (groupLabels: Record<string, string>, alerts: [Status, Record<string, string>, string?][]) =>
  renderEmail(
    renderPayload({
      receiver: 'team',
      groupKey: 'key',
      groupLabels,
      externalURL: 'javascript:alert(1)',
      alerts: alerts.map(([status, labels, generatorURL = '']) => ({
        status,
        labels,
        annotations: { note: '<script>"x" & \'y\'</script>' },
        startsAt: '2026-11-22T16:00:00Z',
        generatorURL,
        fingerprint: '',
      })),
    }),
  );

describe('the subject', () => {
  it.each<[string, Record<string, string>, [Status, Record<string, string>][]]>([
    [
      '[FIRING:2] Down eu (api)',
      { region: 'eu', alertname: 'Down' },
      [
        ['firing', { alertname: 'Down', region: 'eu', job: 'api', i: '1' }],
        ['firing', { alertname: 'Down', region: 'eu', job: 'api', i: '2' }],
      ],
    ],
    [
      '[FIRING:1] Down',
      { alertname: 'Down' },
      [
        ['firing', { alertname: 'Down' }],
        ['resolved', { alertname: 'Down' }],
      ],
    ],
    ['[RESOLVED] (Down api)', {}, [['resolved', { job: 'api', alertname: 'Down' }]]],
    ['[FIRING:1] a b', { alertname: 'a\r\n b' }, [['firing', { alertname: 'a\r\n b' }]]],
  ])("H7: is Alertmanager's: %s", (expected, groupLabels, alerts) => {
    expect(render(groupLabels, alerts).subject).toBe(expected);
  });

  it('H7: is bounded', () => {
    expect(render({ a: 'x'.repeat(5_000) }, [['firing', {}]]).subject).toHaveLength(251);
  });
});

describe('the body', () => {
  it('I4: escapes what comes from alerts and links to web pages only', () => {
    const { html } = render({ a: '<b>' }, [
      ['firing', { '<i>': '"' }, 'javascript:alert(1)'],
      ['firing', { x: '' }, 'https://p/?q="><script>'],
    ]);
    expect(html).toContain('&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/script&gt;');
    expect(html).toContain('<th>&lt;i&gt;</th><td>&quot;</td>');
    expect(html).toContain('href="https://p/?q=&quot;&gt;&lt;script&gt;"');
    expect(html).not.toMatch(/href="javascript|<script|<b>|<i>/);
  });
});

describe('texts of the configuration', () => {
  const payload = renderPayload({
    ...{ receiver: 'team', groupKey: 'key', groupLabels: {}, externalURL: 'https://hub/?a&b' },
    alerts: [
      {
        ...{ status: 'firing', labels: { alertname: 'Down' }, annotations: { note: '<b>one</b> & "two"\nthree' } },
        ...{ startsAt: '2026-11-22T16:00:00Z', generatorURL: '', fingerprint: '' },
      },
    ],
  });
  const ours = renderEmail(payload);
  const note = parseTemplate('<i>{annotations.note}</i>');

  it('I4: stand as they are, what comes from alerts escaped and with its lines', () => {
    expect(renderEmail(payload, { html: note, text: note })).toEqual({
      subject: '[FIRING:1] (Down)',
      html: '<i>&lt;b&gt;one&lt;/b&gt; &amp; &quot;two&quot;<br>\nthree</i>',
      text: '<i><b>one</b> & "two"\nthree</i>',
    });
  });

  it.each([
    ['an HTML of their own without our text', { html: 'x' }, { html: 'x' }],
    ['a text of their own beside our HTML', { text: 'x' }, { text: 'x', html: ours.html }],
    ['no HTML, but our text', { html: '' }, { text: ours.text }],
    ['no HTML, but their text', { html: '', text: 'x' }, { text: 'x' }],
    ['never nothing', { html: parseTemplate('{labels.none}') }, { text: ours.text }],
  ])('H7: make %s', (_name, own, expected) => {
    expect(renderEmail(payload, own)).toEqual({ subject: ours.subject, ...expected });
  });
});
