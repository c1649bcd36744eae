import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { AuthEvents, authEventTypes, RequireScope } from 'eyrie/auth';
import { schemaOf, ZodQuery } from 'eyrie/server';
import type * as z from 'zod';
import { ApiProblem } from '../api-docs.js';
import { CallerNeeded } from './auth-docs.js';
import { eventPage, eventQuery } from './auth.schemas.js';

/** The record of who got in, who tried to, and who changed what others may do. */
@ApiTags('auth')
@CallerNeeded()
@RequireScope('manage')
@Controller('api/v1/auth-events')
export class AuthEventsController {
  constructor(private readonly events: AuthEvents) {}

  @Get()
  @ApiOperation({ summary: 'Logins, failed ones too, and changes of keys and users, the latest first' })
  @ApiQuery({ name: 'type', required: false, enum: authEventTypes })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } })
  @ApiQuery({ name: 'cursor', required: false, description: '`next` of the page before.' })
  @ApiResponse({ status: 200, description: 'A page.', schema: schemaOf(eventPage, 'output') })
  @ApiProblem(400, 'Every fault of the query.')
  page(@ZodQuery(eventQuery) { cursor, ...rest }: z.output<typeof eventQuery>) {
    return this.events.page({ ...rest, before: cursor });
  }
}
