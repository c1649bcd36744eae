import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Context, context, type ContextManager, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { Summary } from 'prom-client';
import { contentTypes, negotiate, render } from './exposition.js';
import { type Family, readFamilies } from './family.js';
import { counter, gauge, histogram } from './index.js';

const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,' +
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

describe('negotiate', () => {
  it.each<[string | undefined, string]>([
    [undefined, 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'prometheus'],
    ['text/plain;version=0.0.4', 'prometheus'],
    [prometheus3, 'openmetrics'],
    ['application/openmetrics-text', 'openmetrics'],
    ['Application/OpenMetrics-Text; Version="1.0.0"', 'openmetrics'],
    ['application/openmetrics-text;version=0.0.1', 'prometheus'],
    ['application/openmetrics-text;q=0.3,text/plain;q=0.5', 'prometheus'],
    ['application/openmetrics-text;q=0', 'prometheus'],
    ['application/openmetrics-text;q=x', 'prometheus'],
  ])('D6: %s is answered in %s', (accept, format) => {
    expect(negotiate(accept)).toBe(format);
  });

  it('D6: the types name version and charset', () => {
    expect(contentTypes).toEqual({
      prometheus: 'text/plain; version=0.0.4; charset=utf-8',
      openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    });
  });
});

/** What a tracing SDK does: keeps the active context across async calls. */
class Contexts implements ContextManager {
  private readonly storage = new AsyncLocalStorage<Context>();
  active = () => this.storage.getStore() ?? ROOT_CONTEXT;
  with: ContextManager['with'] = (active, fn, self, ...args) => this.storage.run(active, () => fn.call(self, ...args));
  bind: ContextManager['bind'] = (_, target) => target;
  enable = () => this;
  disable = () => this;
}

/** Only those of a spec, whatever else is registered. */
async function families(prefix: string): Promise<Family[]> {
  return (await readFamilies()).filter(({ name }) => name.startsWith(prefix));
}

describe('render', () => {
  beforeAll(() => void context.setGlobalContextManager(new Contexts()));
  afterAll(() => context.disable());

  const inSpan = (traceId: string, traceFlags: TraceFlags, fn: () => void) => {
    const span = trace.wrapSpanContext({ traceId, spanId: '00f067aa0ba902b7', traceFlags });
    context.with(trace.setSpan(ROOT_CONTEXT, span), fn);
  };

  it('D6: OpenMetrics: counters without their suffix, canonical bounds, exemplars of sampled spans, an end', async () => {
    counter({ name: 'om_jobs_total', help: 'Say "jobs" \\ tasks.', labels: ['task'] }).inc({ task: 'a' });
    const time = histogram({ name: 'om_time_seconds', help: 'Time.', labels: ['task'], buckets: [0.1, 1] });
    inSpan('4bf92f3577b34da6a3ce929d0e0e4736', TraceFlags.SAMPLED, () => time.observe({ task: 'a' }, 0.5));
    inSpan('ffffffffffffffffffffffffffffffff', TraceFlags.NONE, () => time.observe({ task: 'a' }, 0.6));
    inSpan('11111111111111111111111111111111', TraceFlags.SAMPLED, () => time.observe({ task: 'a' }, 9));
    time.observe({ task: 'a' }, 0.05);
    gauge({ name: 'om_ratio', help: 'Ratio.' }).set(NaN);
    const text = await render(await families('om_'), 'openmetrics');
    expect(text.replace(/ \d{10}\.\d{3}$/gm, ' <time>')).toBe(
      `# HELP om_jobs Say \\"jobs\\" \\\\ tasks.
# TYPE om_jobs counter
om_jobs_total{task="a"} 1
# HELP om_time_seconds Time.
# TYPE om_time_seconds histogram
om_time_seconds_bucket{task="a",le="0.1"} 1
om_time_seconds_bucket{task="a",le="1.0"} 3 # {span_id="00f067aa0ba902b7",trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.5 <time>
om_time_seconds_bucket{task="a",le="+Inf"} 4 # {span_id="00f067aa0ba902b7",trace_id="11111111111111111111111111111111"} 9 <time>
om_time_seconds_sum{task="a"} 10.15
om_time_seconds_count{task="a"} 4
# HELP om_ratio Ratio.
# TYPE om_ratio gauge
om_ratio NaN
# EOF
`,
    );
  });

  it("D1: Prometheus' format: no exemplars, plain bounds; metrics of others that use prom-client are served too", async () => {
    const time = histogram({ name: 'pt_time_seconds', help: 'Say "time".', buckets: [1] });
    inSpan('4bf92f3577b34da6a3ce929d0e0e4736', TraceFlags.SAMPLED, () => time.observe(0.5));
    gauge({ name: 'pt_depth', help: 'Depth.' }).set(-Infinity);
    new Summary({ name: 'pt_summary', help: 'S.', percentiles: [0.5] }).observe(3);
    expect(await render(await families('pt_'), 'prometheus')).toBe(
      `# HELP pt_time_seconds Say "time".
# TYPE pt_time_seconds histogram
pt_time_seconds_bucket{le="1"} 1
pt_time_seconds_bucket{le="+Inf"} 1
pt_time_seconds_sum 0.5
pt_time_seconds_count 1
# HELP pt_depth Depth.
# TYPE pt_depth gauge
pt_depth -Inf
# HELP pt_summary S.
# TYPE pt_summary summary
pt_summary{quantile="0.5"} 3
pt_summary_sum 3
pt_summary_count 1
`,
    );
  });

  it('D1: very many series are written in slices: the event loop goes on between them', async () => {
    const many = Array.from({ length: 400 }, (_, index): Family => {
      const samples = Array.from({ length: 400 }, (_, each): Family['samples'][number] => [
        '',
        `label="${each}"`,
        each,
      ]);
      return { name: `many_${index}`, help: 'x', type: 'gauge', aggregate: 'sum', samples };
    });
    let turns = 0;
    const turn = () => {
      turns += 1;
      pending = setImmediate(turn);
    };
    let pending = setImmediate(turn);
    const text = await render(many, 'prometheus');
    clearImmediate(pending);
    expect(text.split('\n')).toHaveLength(400 * 402 + 1);
    expect(turns).toBeGreaterThan(3);
  });
});
