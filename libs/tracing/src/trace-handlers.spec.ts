import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, SetMetadata } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { traceHandlers } from './trace-handlers.js';
import { withSpan } from './with-span.js';

const name = Symbol('name');

class Crud {
  @Get()
  list(): unknown {
    return this;
  }

  @Get(':id')
  @SetMetadata(name, 'scope')
  read(id: string): string {
    return this.prefix() + id;
  }

  protected prefix(): string {
    return 'crud ';
  }
}

@Controller('base')
class BaseController extends Crud {}

@Controller('orders')
class OrdersController extends Crud {
  override list(): unknown {
    return 'overridden without a route';
  }

  protected override prefix(): string {
    return 'order ';
  }
}

describe('traceHandlers', () => {
  const exporter = new InMemorySpanExporter();
  let sdk: NodeSDK;

  beforeAll(() => {
    sdk = new NodeSDK({
      autoDetectResources: false,
      spanProcessors: [new SimpleSpanProcessor({ exporter })],
      metricReaders: [],
      logRecordProcessors: [],
    });
    sdk.start();
    const controllers = new Map([BaseController, OrdersController].map((metatype) => [metatype, { metatype }]));
    const modules = new Map([['module', { controllers }]]) as unknown as ModulesContainer;
    traceHandlers(modules);
    traceHandlers(modules); // as a second app of the process would
  });

  afterAll(() => sdk.shutdown());

  it('E2: leaves a controller its constructor, by which guards know it', () => {
    for (const controller of [BaseController, OrdersController]) {
      expect(controller.prototype.constructor).toBe(controller);
    }
  });

  const spansOf = (work: () => unknown) => {
    exporter.reset();
    withSpan('request', {}, work);
    return exporter.getFinishedSpans().map((span) => span.name);
  };

  it('E2: gives handlers one span each, named after the controller that inherits them', () => {
    const [base, orders] = [new BaseController(), new OrdersController()];
    expect(spansOf(() => expect(base.list()).toBe(base))).toEqual(['BaseController.list', 'request']);
    expect(spansOf(() => expect(base.read('7')).toBe('crud 7'))).toEqual(['BaseController.read', 'request']);
    expect(spansOf(() => expect(orders.read('7')).toBe('order 7'))).toEqual(['OrdersController.read', 'request']);
    expect(spansOf(() => orders.list())).toEqual(['request']);
    const { read } = OrdersController.prototype as unknown as Record<string, object>;
    expect(Reflect.getMetadata(name, read!)).toBe('scope');
  });

  it('E2: makes no span outside of a traced request', () => {
    exporter.reset();
    expect(new BaseController().read('7')).toBe('crud 7');
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
