import { type CanActivate, type ExecutionContext, Inject, Injectable, Logger } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { extendContext } from 'eyrie/logging';
import { Problem } from 'eyrie/server';
import { AUTH_OPTIONS, type AuthOptions } from './auth.options.js';
import { Authentication } from './authentication.js';
import type { Caller } from './caller.js';
import { networkOf } from './client.js';
import { RATE_LIMIT, type RateLimitClass } from './limits/rate-limit.decorator.js';
import { RateLimits } from './limits/rate-limits.js';
import { ACCESS, type Access } from './require-scope.decorator.js';

/** What the guard reads from a request, and leaves there. */
export interface AuthenticatedRequest {
  headers: { authorization?: string | undefined; 'user-agent'?: string | undefined };
  /** The client's address; behind a trusted proxy the one that the proxy tells. Undefined where the client is gone. */
  ip: string | undefined;
  /** Who asks; absent on public routes. */
  caller?: Caller;
}

/** Whom a request comes from, or why that is not known. */
type Identified = { caller: Caller } | { fault: Problem };

/**
 * Lets a request in if its API key, or the role of who is logged in, has the scope that the route asks for, and if its
 * client does not come too often. A route that says none of `@RequireScope`, `@SignedIn` and `@Public` is closed to all,
 * so that a new one cannot be open because somebody forgot.
 */
@Injectable()
export class ScopeGuard implements CanActivate {
  private readonly logger = new Logger(ScopeGuard.name);

  constructor(
    private readonly reflector: Reflector,
    private readonly authentication: Authentication,
    private readonly limits: RateLimits,
    @Inject(AUTH_OPTIONS) private readonly options: AuthOptions,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const given = this.options.libraryControllers?.get(context.getClass());
    // Probes and scrapes come as often as they like.
    if (given === 'public') return true;
    const targets = [context.getHandler(), context.getClass()];
    const access = given ?? this.reflector.getAllAndOverride<Access | undefined>(ACCESS, targets);
    if (access === undefined || context.getType() !== 'http') {
      const route = `${context.getClass().name}.${context.getHandler().name}`;
      this.logger.error(`${route} is closed: it has none of @RequireScope, @SignedIn and @Public`);
      throw new Problem(403, 'route-closed', 'Nobody may use this');
    }
    const http = context.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest>();
    const identified = access === 'public' ? undefined : await this.identify(request);
    const caller = identified && 'caller' in identified ? identified.caller : undefined;
    const limitClass = this.reflector.getAllAndOverride<RateLimitClass | undefined>(RATE_LIMIT, targets);
    await this.limits.charge(http.getResponse(), limitClass ?? classOf(access, caller), clientKey(request, caller));
    if (access === 'public' || !identified) return true;
    if ('fault' in identified) throw identified.fault;
    authorize(identified.caller, access);
    request.caller = identified.caller;
    const { kind, id, name } = identified.caller;
    extendContext({ userId: kind === 'user' ? `user:${id}` : `key:${name}` });
    return true;
  }

  private async identify(request: AuthenticatedRequest): Promise<Identified> {
    const credential = this.authentication.credentialIn(request.headers.authorization);
    if (credential === undefined) {
      const fault = new Problem(401, 'unauthorized', 'An API key or an access token is needed', {
        detail: 'Send it as "Authorization: Bearer <key or token>".',
        headers: { 'WWW-Authenticate': 'Bearer realm="eyrie"' },
      });
      return { fault };
    }
    const caller = await this.verify(credential);
    if (caller) return { caller };
    const fault = new Problem(401, 'unauthorized', 'The API key or access token is not valid', {
      detail: 'It is unknown, was revoked or has expired.',
      headers: { 'WWW-Authenticate': 'Bearer realm="eyrie", error="invalid_token"' },
    });
    return { fault };
  }

  /** While nobody can look it up it is neither good nor bad: 503, so that clients try again and keep what they have. */
  private async verify(credential: string): Promise<Caller | undefined> {
    try {
      return await this.authentication.verify(credential);
    } catch (error) {
      this.logger.error('An API key or access token could not be looked up', error);
      throw new Problem(503, 'unavailable', 'The API key or access token cannot be checked at the moment', {
        headers: { 'Retry-After': '1' },
      });
    }
  }
}

/** Those whom nobody knows have no claim to the limits of those who raise alerts. */
function classOf(access: Access, caller: Caller | undefined): RateLimitClass {
  return caller && typeof access === 'object' && access.scope === 'ingest' ? 'ingest' : 'api';
}

function clientKey(request: AuthenticatedRequest, caller: Caller | undefined): string {
  return caller ? `${caller.kind}:${caller.id}` : `network:${networkOf(request.ip ?? '')}`;
}

function authorize(caller: Caller, access: Exclude<Access, 'public'>): void {
  if (access === 'signed-in') {
    if (caller.kind === 'user') return;
    throw new Problem(403, 'person-needed', 'This is for people', {
      detail: 'An API key has no password and no sessions; log in.',
      headers: { 'WWW-Authenticate': 'Bearer realm="eyrie", error="insufficient_scope"' },
    });
  }
  const { scope } = access;
  if (caller.scopes.includes(scope)) return;
  const title = caller.kind === 'key' ? 'The API key does not allow this' : 'Your role does not allow this';
  const whose = caller.kind === 'key' ? 'the key' : `the role ${caller.role}`;
  throw new Problem(403, 'insufficient-scope', title, {
    detail: `This needs the scope "${scope}"; ${whose} has ${caller.scopes.map((each) => `"${each}"`).join(', ')}.`,
    headers: { 'WWW-Authenticate': `Bearer realm="eyrie", error="insufficient_scope", scope="${scope}"` },
  });
}
