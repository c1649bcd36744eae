import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { NotFoundException, SetMetadata } from '@nestjs/common';
import { Span } from './span.decorator.js';
import { continueTrace, traceContext } from './trace-context.js';
import { withSpan } from './with-span.js';

const planted = new TypeError('planted');

class Orders {
  constructor(readonly id = 7) {}

  @Span()
  sync(add: number): number {
    return this.id + add;
  }

  @Span('orders.async', { attributes: { store: 'postgres' } })
  async async(): Promise<number> {
    await Promise.resolve();
    return this.sync(1);
  }

  @Span()
  static of(id: number): Orders {
    return new Orders(id);
  }

  @Span()
  fail(): never {
    throw planted;
  }

  @Span()
  async failLater(): Promise<void> {
    await Promise.resolve();
    throw planted;
  }

  @Span()
  @SetMetadata('below', 1)
  decorated(_one: string, _two: string): void {}
}

describe('without tracing', () => {
  it('E4: spans only run the work', async () => {
    const orders = Orders.of(1);
    expect(orders.sync(2)).toBe(3);
    expect(await orders.async()).toBe(2);
    expect(() => orders.fail()).toThrow(planted);
    await expect(orders.failLater()).rejects.toBe(planted);
    const promise = Promise.resolve(5);
    expect(withSpan('x', {}, () => promise)).toBe(promise);
    expect(continueTrace('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x', {}, () => 1)).toBe(1);
    expect(continueTrace(undefined, 'x', {}, () => traceContext())).toBeUndefined();
    expect(traceContext()).toBeUndefined();
  });

  it('E4: a span costs less than 5 µs', () => {
    const orders = new Orders();
    const best = Math.min(
      ...Array.from({ length: 5 }, () => {
        const started = performance.now();
        for (let count = 0; count < 20_000; count += 1) orders.sync(count);
        return performance.now() - started;
      }),
    );
    expect(best / 20).toBeLessThan(5);
  });
});

describe('with tracing', () => {
  const exporter = new InMemorySpanExporter();
  let sdk: NodeSDK | undefined;

  beforeEach(() => {
    if (!sdk) {
      sdk = new NodeSDK({
        autoDetectResources: false,
        spanProcessors: [new SimpleSpanProcessor({ exporter })],
        metricReaders: [],
        logRecordProcessors: [],
      });
      sdk.start();
    }
    exporter.reset();
  });

  afterAll(() => sdk?.shutdown());

  const finished = () => exporter.getFinishedSpans();
  const named = (name: string): ReadableSpan => {
    const span = finished().find((span) => span.name === name);
    if (!span)
      throw new Error(
        `no ${name} among ${finished()
          .map(({ name }) => name)
          .join(', ')}`,
      );
    return span;
  };

  it('E4: @Span() is named after class and method, nests, and ends with the promise', async () => {
    expect(await new Orders().async()).toBe(8);
    expect(finished().map(({ name }) => name)).toEqual(['Orders.sync', 'orders.async']);
    expect(named('orders.async').attributes).toEqual({ store: 'postgres' });
    expect(named('Orders.sync').parentSpanContext?.spanId).toBe(named('orders.async').spanContext().spanId);
    Orders.of(3);
    expect(named('Orders.of').parentSpanContext).toBeUndefined();
  });

  it('E4: errors are recorded and thrown on, at once or later', async () => {
    expect(() => new Orders().fail()).toThrow(planted);
    await expect(new Orders().failLater()).rejects.toBe(planted);
    for (const name of ['Orders.fail', 'Orders.failLater']) {
      const { status, events, attributes } = named(name);
      expect(status).toEqual({ code: 2, message: 'planted' });
      expect(attributes).toEqual({ 'error.type': 'TypeError' });
      expect(events).toMatchObject([{ name: 'exception', attributes: { 'exception.message': 'planted' } }]);
    }
    const answer = new NotFoundException('none');
    await expect(withSpan('answer', {}, () => Promise.reject(answer))).rejects.toBe(answer);
    expect(named('answer').status.code).toBe(0);
    const odd: unknown = 'a string';
    expect(() =>
      withSpan('odd', {}, () => {
        throw odd;
      }),
    ).toThrow('a string');
    expect(named('odd').status.message).toBe('a string');
  });

  it('E4: what reflects upon a method sees no difference', () => {
    const method = Object.getOwnPropertyDescriptor(Orders.prototype, 'decorated')!.value as () => void;
    expect([method.name, method.length]).toEqual(['decorated', 2]);
    expect(Reflect.getMetadata('below', method)).toBe(1);
    expect(() => Span()({}, 'field', {})).toThrow('@Span is for methods, which field is not');
  });

  it('E4: withSpan hands in the span, and returns the very promise of the work', async () => {
    const promise = Promise.resolve(5);
    expect(withSpan('outer', { count: 1 }, () => promise)).toBe(promise);
    await withSpan('parent', {}, async (parent) => {
      parent.setAttribute('size', 3);
      await Promise.all(['one', 'two'].map((name) => withSpan(name, {}, async () => Promise.resolve())));
      expect(trace.getActiveSpan()).toBe(parent);
    });
    const { spanId } = named('parent').spanContext();
    expect(named('outer').attributes).toEqual({ count: 1 });
    expect(named('parent').attributes).toEqual({ size: 3 });
    expect([named('one'), named('two')].map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([
      spanId,
      spanId,
    ]);
  });

  it('E3: traceContext and continueTrace carry a trace over', () => {
    const carried = withSpan('ordered', {}, () => traceContext());
    const ordered = named('ordered').spanContext();
    expect(carried).toBe(`00-${ordered.traceId}-${ordered.spanId}-01`);
    withSpan('elsewhere', {}, () => continueTrace(carried, 'done', { job: 7 }, () => undefined));
    expect(named('done')).toMatchObject({ kind: 4, attributes: { job: 7 } });
    expect(named('done').parentSpanContext).toEqual({
      traceId: ordered.traceId,
      spanId: ordered.spanId,
      traceFlags: 1,
      isRemote: true,
    });
  });

  it.each([
    undefined,
    '',
    'nonsense',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  ])('E3: with %j as traceparent a trace begins', (traceparent) => {
    continueTrace(traceparent, 'begun', {}, () => undefined);
    expect(named('begun').parentSpanContext).toBeUndefined();
  });

  it('E3: a traceparent of a later version is understood, and one without the sampled flag is followed', () => {
    continueTrace('01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more', 'later', {}, () => undefined);
    expect(named('later').parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    const unsampled = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
    continueTrace(unsampled, 'unsampled', {}, () => {
      expect(traceContext()).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[\da-f]{16}-00$/);
    });
    expect(finished().map(({ name }) => name)).toEqual(['later']);
  });
});
