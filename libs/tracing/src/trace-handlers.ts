import { PATH_METADATA } from '@nestjs/common/constants';
import type { ModulesContainer } from '@nestjs/core';
import { inSpansWhereRecorded } from './span.decorator.js';

type Method = (this: unknown, ...args: never[]) => unknown;

/** The handlers by what has taken their place. */
const originals = new WeakMap<Method, Method>();

/**
 * Gives each handler of each controller a span, `Controller.method`, below that of its request. The methods themselves
 * are wrapped, before Nest's router looks at them: an interceptor would cost every request, sampled or not.
 */
export function traceHandlers(modules: ModulesContainer): void {
  for (const { controllers } of modules.values()) {
    for (const { metatype } of controllers.values()) {
      if (typeof metatype === 'function') wrapHandlers(metatype.prototype as object, metatype.name);
    }
  }
}

function wrapHandlers(controller: object, name: string): void {
  // From the class up: a controller may inherit handlers, which get the name of the heir.
  for (let owner = controller; owner !== Object.prototype; owner = Object.getPrototypeOf(owner) as object) {
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      // A controller has a path of its own, and Nest tells guards the class by `constructor`.
      if (key === 'constructor') continue;
      if (typeof value !== 'function' || !Reflect.hasOwnMetadata(PATH_METADATA, value as object)) continue;
      const method = value as Method;
      const own = Object.getOwnPropertyDescriptor(controller, key);
      if (own && (owner !== controller || originals.has(method))) continue; // overridden, or wrapped for another app
      const original = originals.get(method) ?? method;
      const wrapper = inSpansWhereRecorded(original, `${name}.${key}`);
      originals.set(wrapper, original);
      Object.defineProperty(controller, key, { value: wrapper, writable: true, configurable: true, enumerable: false });
    }
  }
}
