import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { AuditLog } from 'eyrie/alerts';
import { RequireScope } from 'eyrie/auth';
import { schemaOf, ZodQuery } from 'eyrie/server';
import type * as z from 'zod';
import { ApiProblem } from '../api-docs.js';
import { CallerNeeded } from '../auth/auth-docs.js';
import { auditPage, auditQuery } from './people.schemas.js';

/** Who changed what. */
@ApiTags('audit')
@CallerNeeded()
@RequireScope('manage')
@Controller('api/v1/audit')
export class AuditController {
  constructor(private readonly audit: AuditLog) {}

  @Get()
  @ApiOperation({
    summary: 'What people and programs did about alerts and heartbeats, and from where; the latest first',
  })
  @ApiQuery({ name: 'actor', required: false, description: 'Such as `user:ann@example.org`.' })
  @ApiQuery({ name: 'subject', required: false, description: 'Such as `heartbeat:backup`.' })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } })
  @ApiQuery({ name: 'cursor', required: false, description: '`next` of the page before.' })
  @ApiResponse({ status: 200, description: 'A page.', schema: schemaOf(auditPage, 'output') })
  @ApiProblem(400, 'Every fault of the query.')
  page(@ZodQuery(auditQuery) { cursor, ...filter }: z.output<typeof auditQuery>) {
    return this.audit.page({ ...filter, before: cursor });
  }
}
