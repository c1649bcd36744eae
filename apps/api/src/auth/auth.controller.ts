import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  type AuthenticatedRequest,
  Authentication,
  clientOf,
  LoginService,
  Public,
  RateLimited,
  RefreshCookie,
  type SessionOwner,
  SessionsService,
  type SessionTokens,
  type UserCaller,
  UsersService,
} from 'eyrie/auth';
import { Problem, schemaOf, ZodBody, ZodQuery } from 'eyrie/server';
import { type FastifyReply } from 'fastify';
import type * as z from 'zod';
import { ApiProblem } from '../api-docs.js';
import { asProblem } from './access-problem.js';
import { OpenToAll } from './auth-docs.js';
import { loginExample, loginRequest, logoutQuery, refreshExample, refreshRequest, tokens } from './auth.schemas.js';
import { meOf } from './me.js';

type Request = AuthenticatedRequest & { headers: { cookie?: string } };

/** How people come and go. */
@ApiTags('auth')
@OpenToAll()
@Public()
@Controller('api/auth')
export class AuthController {
  constructor(
    private readonly logins: LoginService,
    private readonly sessions: SessionsService,
    private readonly users: UsersService,
    private readonly authentication: Authentication,
    private readonly cookie: RefreshCookie,
  ) {}

  @Post('login')
  @HttpCode(200)
  @RateLimited('login')
  @ApiOperation({
    summary: 'Log in with email and password',
    description: 'After failures the next attempt has to wait, each time twice as long; `Retry-After` says how long.',
  })
  @ApiBody({ schema: schemaOf(loginRequest), examples: { login: { value: loginExample } } })
  @ApiResponse({ status: 200, description: 'Welcome.', schema: schemaOf(tokens, 'output') })
  @ApiProblem(400, 'Every fault with its place.')
  @ApiProblem(401, 'The email address or the password is wrong, or the account is disabled.')
  async login(
    @ZodBody(loginRequest) { email, password, cookie }: z.output<typeof loginRequest>,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const result = await asProblem(() => this.logins.login(email, password, clientOf(request)));
    if (result.outcome === 'wait') {
      throw new Problem(429, 'login-delayed', 'Too many logins have failed', {
        detail: 'The password was not looked at.',
        headers: { 'Retry-After': String(Math.ceil(result.waitMs / 1_000)) },
      });
    }
    if (result.outcome === 'refused') throw unauthorized('login-failed', 'The email address or the password is wrong');
    return this.answer(reply, result.tokens, result.user, cookie);
  }

  @Post('refresh')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Exchange a refresh token for the next pair of tokens',
    description:
      'Each is good once; one that comes back later ends the session, for it has been copied. For 30 seconds, and until ' +
      'its successor is used, it is exchanged again, in case the answer was lost.',
  })
  @ApiBody({ schema: schemaOf(refreshRequest), required: false, examples: { refresh: { value: refreshExample } } })
  @ApiResponse({ status: 200, description: 'The next pair.', schema: schemaOf(tokens, 'output') })
  @ApiProblem(400, 'Every fault with its place.')
  @ApiProblem(401, 'No refresh token, or one that is unknown or was used, or whose session has ended.')
  async refresh(
    @ZodBody(refreshRequest) body: z.output<typeof refreshRequest>,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const token = body?.refreshToken ?? this.cookie.read(request);
    if (token === undefined) throw unauthorized('unauthorized', 'A refresh token is needed');
    const isCookie = body?.refreshToken === undefined;
    const result = await this.sessions.refresh(token, clientOf(request));
    if (result.outcome === 'renewed') return this.answer(reply, result.tokens, result.user, isCookie);
    if (isCookie) this.cookie.clear(reply);
    throw unauthorized('session-ended', 'The session has ended; log in again');
  }

  @Post('logout')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Log out: of the session of the access token, of the refresh token, or of the cookie',
  })
  @ApiQuery({ name: 'all', required: false, type: Boolean, description: 'Of all sessions.' })
  @ApiBody({ schema: schemaOf(refreshRequest), required: false, examples: { logout: { value: refreshExample } } })
  @ApiResponse({ status: 204, description: 'The session has ended.' })
  @ApiProblem(400, 'Every fault with its place.')
  @ApiProblem(401, 'No token of a session that lasts.')
  async logOut(
    @ZodQuery(logoutQuery) { all }: z.output<typeof logoutQuery>,
    @ZodBody(refreshRequest) body: z.output<typeof refreshRequest>,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const owner = await this.ownerOf(request, body?.refreshToken);
    if (this.cookie.read(request) !== undefined) this.cookie.clear(reply);
    if (!owner) throw unauthorized('unauthorized', 'A token of a session that lasts is needed');
    await this.sessions.logOut(owner, clientOf(request), all);
  }

  private async ownerOf(request: Request, refreshToken: string | undefined): Promise<SessionOwner | undefined> {
    const accessToken = this.authentication.credentialIn(request.headers.authorization);
    const caller = accessToken === undefined ? undefined : await this.sessions.verify(accessToken);
    if (caller) return { userId: caller.id, email: caller.name, sessionId: caller.sessionId };
    const token = refreshToken ?? this.cookie.read(request);
    return token === undefined ? undefined : this.sessions.ownerOf(token);
  }

  private async answer(reply: FastifyReply, pair: SessionTokens, caller: UserCaller, inCookie: boolean) {
    const { accessToken, accessExpiresInMs, refreshToken, refreshExpiresInMs } = pair;
    // RFC 6749, 5.1: nothing on the way keeps tokens.
    reply.header('cache-control', 'no-store');
    if (inCookie) this.cookie.set(reply, refreshToken, refreshExpiresInMs);
    return {
      accessToken,
      tokenType: 'Bearer',
      expiresIn: Math.floor(accessExpiresInMs / 1_000),
      ...(!inCookie && { refreshToken }),
      refreshExpiresIn: Math.floor(refreshExpiresInMs / 1_000),
      user: await meOf(this.users, caller),
    };
  }
}

function unauthorized(slug: string, title: string): Problem {
  return new Problem(401, slug, title, { headers: { 'WWW-Authenticate': 'Bearer realm="eyrie"' } });
}
