import { type INestApplication, RequestMethod, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { monitoringAccess } from 'eyrie/auth';
import { type Access, ACCESS } from '../../libs/auth/src/require-scope.decorator.js';

/** A route as its controller declares it. */
export interface Route {
  method: string;
  /** In OpenAPI's spelling: `/api/v1/alerts/{id}`. */
  path: string;
  access: Access | undefined;
  controller: string;
}

/** Every route of every controller of an app, from the decorators: nobody has to remember a new one. */
export function routesOf(app: INestApplication): Route[] {
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  return controllers.flatMap(({ metatype }) => routesOfController(metatype as Type));
}

function pathsOf(target: object): string[] {
  return [Reflect.getMetadata('path', target) as string | string[]].flat();
}

function spelled(path: string): string {
  return path
    .replace(/\/+/g, '/')
    .replace(/(?<=.)\/$/, '')
    .replace(/:(\w+)/g, '{$1}');
}

function routesOfController(controller: Type): Route[] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = prototype[name]!;
    const method = Reflect.getMetadata('method', handler) as RequestMethod | undefined;
    if (method === undefined) return [];
    const access = [handler, controller].map((target) => Reflect.getMetadata(ACCESS, target) as Access | undefined);
    return pathsOf(controller).flatMap((prefix) =>
      pathsOf(handler).map((path) => ({
        method: RequestMethod[method],
        path: spelled(`/${prefix}/${path}`),
        access: monitoringAccess.get(controller) ?? access[0] ?? access[1],
        controller: controller.name,
      })),
    );
  });
}
