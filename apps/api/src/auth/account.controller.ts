import { Controller, Delete, Get, HttpCode, Param, ParseUUIDPipe, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  type AuthenticatedRequest,
  clientOf,
  RateLimited,
  SessionsService,
  SignedIn,
  type UserCaller,
  UsersService,
} from 'eyrie/auth';
import { Problem, schemaOf, ZodBody } from 'eyrie/server';
import type * as z from 'zod';
import { ApiProblem } from '../api-docs.js';
import { asProblem } from './access-problem.js';
import { LoginNeeded } from './auth-docs.js';
import { me, passwordExample, passwordRequest, sessionList } from './auth.schemas.js';
import { by } from './by.js';
import { meOf } from './me.js';

/** `@SignedIn()` lets nobody else in. */
type Request = AuthenticatedRequest & { caller: UserCaller };

/** What is one's own: who one is, the password, the sessions. */
@ApiTags('auth')
@LoginNeeded()
@SignedIn()
@Controller('api/auth')
export class AccountController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
  ) {}

  @Get('me')
  @ApiOperation({ summary: 'Who is logged in, and what the role allows' })
  @ApiResponse({ status: 200, description: 'You.', schema: schemaOf(me, 'output') })
  me(@Req() { caller }: Request) {
    return meOf(this.users, caller);
  }

  @Post('password')
  @HttpCode(204)
  @RateLimited('login')
  @ApiOperation({ summary: 'Change your own password, which ends your other sessions' })
  @ApiBody({ schema: schemaOf(passwordRequest), examples: { change: { value: passwordExample } } })
  @ApiResponse({ status: 204, description: 'The new one holds.' })
  @ApiProblem(400, 'The current password is wrong, or the new one will not do.')
  async changePassword(
    @ZodBody(passwordRequest) body: z.output<typeof passwordRequest>,
    @Req() request: Request,
  ): Promise<void> {
    const passwords = { current: body.current, next: body.new };
    if (await asProblem(() => this.users.changePassword(request.caller, passwords, by(request)))) return;
    throw new Problem(400, 'wrong-password', 'The current password is wrong', {
      errors: [{ pointer: '/current', detail: 'This is not your password' }],
    });
  }

  @Get('sessions')
  @ApiOperation({ summary: 'Where you are logged in, the latest first' })
  @ApiResponse({ status: 200, description: 'Your sessions.', schema: schemaOf(sessionList, 'output') })
  async list(@Req() { caller }: Request) {
    const sessions = await this.sessions.list(caller.id);
    return { sessions: sessions.map((session) => ({ ...session, isThis: session.id === caller.sessionId })) };
  }

  @Delete('sessions/:id')
  @HttpCode(204)
  @ApiOperation({ summary: 'End one of your sessions' })
  @ApiResponse({ status: 204, description: 'It has ended.' })
  @ApiProblem(400, 'The id is no UUID.')
  @ApiProblem(404, 'You have no such session.')
  async revoke(@Param('id', ParseUUIDPipe) id: string, @Req() request: Request): Promise<void> {
    const { id: userId, name: email, sessionId } = request.caller;
    if (await this.sessions.revoke(id, { userId, email, sessionId }, clientOf(request))) return;
    throw new Problem(404, 'session-not-found', 'You have no session with this id');
  }
}
