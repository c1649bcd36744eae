import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { HealthIndicatorService } from '@nestjs/terminus';
import { context, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { isTracingSuppressed } from '@opentelemetry/core';
import { HealthRegistry } from './health-registry.js';

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

it('E2: checks make no spans, not even where a traced request asks', async () => {
  const seen: unknown[] = [];
  const look = () => seen.push([isTracingSuppressed(context.active()), trace.getActiveSpan()]);
  const registry = new HealthRegistry();
  registry.register({
    name: 'it',
    critical: true,
    check: async () => {
      look();
      await new Promise(setImmediate);
      look();
    },
  });
  const terminus = new HealthIndicatorService();
  registry.register({
    name: 'attempt',
    critical: true,
    check: () => terminus.check('attempt').attempt(() => void look()),
  });
  const span = trace.wrapSpanContext({
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    traceFlags: TraceFlags.SAMPLED,
  });
  await context.with(trace.setSpan(ROOT_CONTEXT, span), () => registry.check());
  expect(seen).toEqual(Array(3).fill([true, undefined]));
});
