import { type CanActivate, type ExecutionContext, Inject, Injectable, Logger } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { extendContext } from 'eyrie/logging';
import { Problem } from 'eyrie/server';
import type { Caller } from './api-key.js';
import { ApiKeysService } from './api-keys.service.js';
import { AUTH_OPTIONS, type AuthOptions } from './auth.options.js';
import { ACCESS, type Access } from './require-scope.decorator.js';

/** What the guard reads from a request, and leaves there. */
export interface AuthenticatedRequest {
  headers: { authorization?: string | undefined };
  /** Who asks; absent on public routes. */
  caller?: Caller;
}

/** RFC 6750, 2.1: the scheme in any case, one token. */
const bearer = /^Bearer +([\x21-\x7e]+) *$/i;

/**
 * Lets a request in if its key has the scope that the route asks for. A route that says neither `@RequireScope` nor
 * `@Public` is closed to all, so that a new one cannot be open because somebody forgot.
 */
@Injectable()
export class ScopeGuard implements CanActivate {
  private readonly logger = new Logger(ScopeGuard.name);

  constructor(
    private readonly reflector: Reflector,
    private readonly keys: ApiKeysService,
    @Inject(AUTH_OPTIONS) private readonly options: AuthOptions,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.accessTo(context);
    if (access === 'public') return true;
    if (access === undefined || context.getType() !== 'http') {
      const route = `${context.getClass().name}.${context.getHandler().name}`;
      this.logger.error(`${route} is closed: it has neither @RequireScope nor @Public`);
      throw new Problem(403, 'route-closed', 'Nobody may use this');
    }
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    request.caller = await this.callerOf(request, access.scope);
    extendContext({ userId: `key:${request.caller.name}` });
    return true;
  }

  private accessTo(context: ExecutionContext): Access | undefined {
    if (this.options.publicControllers?.includes(context.getClass())) return 'public';
    return this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [context.getHandler(), context.getClass()]);
  }

  private async callerOf(request: AuthenticatedRequest, scope: string): Promise<Caller> {
    const [, key] = bearer.exec(request.headers.authorization ?? '') ?? [];
    if (key === undefined) {
      throw new Problem(401, 'unauthorized', 'An API key is needed', {
        detail: 'Send it as "Authorization: Bearer <key>".',
        headers: { 'WWW-Authenticate': 'Bearer realm="eyrie"' },
      });
    }
    const caller = await this.verify(key);
    if (!caller) {
      throw new Problem(401, 'unauthorized', 'The API key is not valid', {
        detail: 'It is unknown or was revoked.',
        headers: { 'WWW-Authenticate': 'Bearer realm="eyrie", error="invalid_token"' },
      });
    }
    if (!caller.scopes.some((granted) => granted === scope)) {
      throw new Problem(403, 'insufficient-scope', 'The API key does not allow this', {
        detail: `This needs the scope "${scope}"; the key has ${caller.scopes.map((each) => `"${each}"`).join(', ')}.`,
        headers: { 'WWW-Authenticate': `Bearer realm="eyrie", error="insufficient_scope", scope="${scope}"` },
      });
    }
    return caller;
  }

  /** While nobody can look the key up it is neither good nor bad: 503, so that clients try again and keep their key. */
  private async verify(key: string): Promise<Caller | undefined> {
    try {
      return await this.keys.verify(key);
    } catch (error) {
      this.logger.error('An API key could not be looked up', error);
      throw new Problem(503, 'unavailable', 'The API key cannot be checked at the moment', {
        headers: { 'Retry-After': '1' },
      });
    }
  }
}
