import 'reflect-metadata';
import { type Attributes, trace } from '@opentelemetry/api';
import { withSpan } from './with-span.js';

export interface SpanDecoratorOptions {
  /** Of every span of this method. */
  attributes?: Attributes;
}

type Method = (this: unknown, ...args: never[]) => unknown;

/**
 * Runs the method in a span of its own below the active one: see {@link withSpan}. Its name is `Class.method` unless
 * told.
 *
 * @example
 * @Span('alerts.route', { attributes: { phase: 'intake' } })
 * async route(alert: Alert): Promise<Route[]> { … }
 */
export function Span(name?: string, { attributes = {} }: SpanDecoratorOptions = {}) {
  return <T extends Method>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<T>): void => {
    const method = descriptor.value;
    if (typeof method !== 'function') throw new Error(`@Span is for methods, which ${String(key)} is not`);
    const owner = typeof target === 'function' ? target : target.constructor;
    descriptor.value = inSpans(method, name ?? `${owner.name}.${String(key)}`, attributes) as T;
  };
}

/**
 * A method that runs in a span of the given name. It has the metadata of the original: whatever reflects upon it, such
 * as Nest's router and guards, sees no difference.
 */
export function inSpans(method: Method, name: string, attributes: Attributes): Method {
  return alike(method, function (this: unknown, ...args) {
    return withSpan(name, attributes, () => method.apply(this, args));
  });
}

/** As {@link inSpans}, but only below a span that is recorded. */
export function inSpansWhereRecorded(method: Method, name: string): Method {
  const traced = inSpans(method, name, {});
  return alike(method, function (this: unknown, ...args) {
    return (trace.getActiveSpan()?.isRecording() ? traced : method).apply(this, args);
  });
}

function alike(method: Method, wrapper: Method): Method {
  for (const key of Reflect.getOwnMetadataKeys(method) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, method), wrapper);
  }
  for (const property of ['name', 'length']) {
    Object.defineProperty(wrapper, property, { value: method[property as 'name'], configurable: true });
  }
  return wrapper;
}
