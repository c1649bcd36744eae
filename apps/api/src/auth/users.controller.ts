import { Controller, Get, HttpCode, Param, ParseUUIDPipe, Patch, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type AuthenticatedRequest, RateLimited, RequireScope, UsersService } from 'eyrie/auth';
import { schemaOf, ZodBody } from 'eyrie/server';
import type * as z from 'zod';
import { ApiProblem } from '../api-docs.js';
import { asProblem } from './access-problem.js';
import { CallerNeeded } from './auth-docs.js';
import {
  createdUser,
  generatedPassword,
  newUser,
  newUserExample,
  userChanges,
  userChangesExample,
  userList,
  userView,
} from './auth.schemas.js';
import { by } from './by.js';

/** The people who may log in. */
@ApiTags('users')
@CallerNeeded()
@RequireScope('manage')
@Controller('api/v1/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @ApiOperation({ summary: 'Everybody who may log in, or might once' })
  @ApiResponse({ status: 200, description: 'All of them.', schema: schemaOf(userList, 'output') })
  async list() {
    return { users: await this.users.list() };
  }

  @Post()
  @RateLimited('login')
  @ApiOperation({ summary: 'Add a person' })
  @ApiBody({ schema: schemaOf(newUser), examples: { responder: { value: newUserExample } } })
  @ApiResponse({ status: 201, description: 'Added.', schema: schemaOf(createdUser, 'output') })
  @ApiProblem(400, 'Every fault with its place.')
  @ApiProblem(409, 'The email address is taken.')
  create(@ZodBody(newUser) body: z.output<typeof newUser>, @Req() request: AuthenticatedRequest) {
    return asProblem(() => this.users.create(body, by(request)));
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change name or role, disable, or enable again' })
  @ApiBody({ schema: schemaOf(userChanges), examples: { role: { value: userChangesExample } } })
  @ApiResponse({ status: 200, description: 'Changed.', schema: schemaOf(userView, 'output') })
  @ApiProblem(400, 'Every fault with its place.')
  @ApiProblem(404, 'There is no such person.')
  @ApiProblem(409, 'Nobody would be left to administrate.')
  change(
    @Param('id', ParseUUIDPipe) id: string,
    @ZodBody(userChanges) body: z.output<typeof userChanges>,
    @Req() request: AuthenticatedRequest,
  ) {
    return asProblem(() => this.users.change(id, body, by(request)));
  }

  @Post(':id/password-reset')
  @HttpCode(200)
  @RateLimited('login')
  @ApiOperation({ summary: 'Give a person a new, generated password, which ends all sessions' })
  @ApiResponse({ status: 200, description: 'The new password.', schema: schemaOf(generatedPassword, 'output') })
  @ApiProblem(400, 'The id is no UUID.')
  @ApiProblem(404, 'There is no such person.')
  resetPassword(@Param('id', ParseUUIDPipe) id: string, @Req() request: AuthenticatedRequest) {
    return asProblem(() => this.users.resetPassword(id, undefined, by(request)));
  }
}
