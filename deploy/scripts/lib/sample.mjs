// Runs inside of a replica (`docker exec -i … node --input-type=module - < sample.mjs`) and prints what it has answered since
// its start: `requests N`, `errors N` (5xx), and `le SECONDS N` for each bucket of the latency. What probes and scrapers ask for
// is left out, as are WebSockets, which last as long as they like.
const response = await fetch(`http://127.0.0.1:${process.env.METRICS_PORT ?? 9464}/metrics`, {
  signal: AbortSignal.timeout(5_000),
});
if (!response.ok) throw new Error(`/metrics answered ${response.status}`);

const beside = /^\/(health|metrics|monitoring|ws)(\/|$)/;
const totals = new Map([
  ['requests', 0],
  ['errors', 0],
]);
const add = (name, value) => totals.set(name, (totals.get(name) ?? 0) + value);
for (const line of (await response.text()).split('\n')) {
  const [, name, labels, value] =
    /^(http_requests_total|http_request_duration_seconds_bucket)\{(.*?)\} (\S+)/.exec(line) ?? [];
  if (!name) continue;
  const label = (key) => new RegExp(`(?:^|,)${key}="([^"]*)"`).exec(labels)?.[1] ?? '';
  if (beside.test(label('endpoint'))) continue;
  if (name === 'http_requests_total') {
    add('requests', Number(value));
    if (label('status_code').startsWith('5')) add('errors', Number(value));
  } else {
    add(`le ${label('le')}`, Number(value));
  }
}
process.stdout.write([...totals].map(([name, value]) => `${name} ${value}\n`).join(''));
