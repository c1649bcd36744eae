import { Controller, Delete, Get, HttpCode, Param, ParseUUIDPipe, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiKeysService, type AuthenticatedRequest, RequireScope } from 'eyrie/auth';
import { schemaOf, ZodBody } from 'eyrie/server';
import type * as z from 'zod';
import { ApiProblem } from '../api-docs.js';
import { asProblem } from './access-problem.js';
import { CallerNeeded } from './auth-docs.js';
import { createdKey, keyList, newKey, newKeyExample } from './auth.schemas.js';
import { by } from './by.js';

/** API keys, for programs. */
@ApiTags('keys')
@CallerNeeded()
@RequireScope('manage')
@Controller('api/v1/keys')
export class KeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Get()
  @ApiOperation({ summary: 'API keys with their scopes and last use, revoked ones too, the newest first' })
  @ApiResponse({ status: 200, description: 'All of them.', schema: schemaOf(keyList, 'output') })
  async list() {
    return { keys: await this.keys.list() };
  }

  @Post()
  @ApiOperation({ summary: 'Make an API key; this is the only time that it is told' })
  @ApiBody({ schema: schemaOf(newKey), examples: { prometheus: { value: newKeyExample } } })
  @ApiResponse({ status: 201, description: 'Made.', schema: schemaOf(createdKey, 'output') })
  @ApiProblem(400, 'Every fault with its place.')
  @ApiProblem(409, 'There is a key of this name already.')
  create(@ZodBody(newKey) { name, scopes }: z.output<typeof newKey>, @Req() request: AuthenticatedRequest) {
    return asProblem(() => this.keys.create(name, scopes, by(request)));
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an API key' })
  @ApiResponse({ status: 204, description: 'It no longer works.' })
  @ApiProblem(400, 'The id is no UUID.')
  @ApiProblem(404, 'There is no such key, or it was revoked before.')
  @ApiProblem(409, 'The key comes from the configuration, where it has to be removed.')
  async revoke(@Param('id', ParseUUIDPipe) id: string, @Req() request: AuthenticatedRequest): Promise<void> {
    await asProblem(() => this.keys.revoke(id, by(request)));
  }
}
