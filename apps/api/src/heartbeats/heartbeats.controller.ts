import { Controller, Delete, Get, HttpCode, Param, Post, Put, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  beatRequest,
  heartbeatName,
  heartbeatRequest,
  HeartbeatsService,
  type HeartbeatView,
  TooManyHeartbeats,
} from 'eyrie/alerts';
import { RequireScope } from 'eyrie/auth';
import { Problem, schemaOf, ZodBody, ZodPipe, ZodQuery } from 'eyrie/server';
import type * as z from 'zod';
import { ApiProblem } from '../api-docs.js';
import { CallerNeeded } from '../auth/auth-docs.js';
import { type IdentifiedRequest, requesterOf } from '../people/requester.js';
import { beat, heartbeatPage, heartbeatQuery, heartbeatView } from './heartbeats.schemas.js';

const Name = () => Param('name', new ZodPipe(heartbeatName, 'The name is not valid'));
const example = { period: '24h', grace: '1h', severity: 'high', labels: { team: 'db' }, message: 'No backup was made' };
const watchdog = { period: '2m', grace: '3m', matchers: ['alertname="Watchdog"'] };

/** Dead man's switches: no beat in time raises the alert `HeartbeatMissing`, the next beat resolves it. */
@ApiTags('heartbeats')
@CallerNeeded()
@Controller('api/v1/heartbeats')
export class HeartbeatsController {
  constructor(private readonly heartbeats: HeartbeatsService) {}

  @Get()
  @RequireScope('read')
  @ApiOperation({ summary: 'Heartbeats by name, with their last beat and how they are' })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } })
  @ApiQuery({ name: 'cursor', required: false, description: '`next` of the page before.' })
  @ApiResponse({ status: 200, description: 'A page.', schema: schemaOf(heartbeatPage, 'output') })
  @ApiProblem(400, 'Every fault of the query.')
  list(@ZodQuery(heartbeatQuery) { cursor, limit }: z.output<typeof heartbeatQuery>) {
    return this.heartbeats.page({ after: cursor, limit });
  }

  @Get(':name')
  @RequireScope('read')
  @ApiOperation({ summary: 'One heartbeat' })
  @ApiResponse({ status: 200, description: 'The heartbeat.', schema: schemaOf(heartbeatView, 'output') })
  @ApiProblem(400, 'The name is not valid.')
  @ApiProblem(404, 'There is no such heartbeat.')
  async one(@Name() name: string): Promise<HeartbeatView> {
    return found(await this.heartbeats.one(name));
  }

  @Put(':name')
  @RequireScope('manage')
  @ApiOperation({
    summary: 'Declare a heartbeat, or change it',
    description: 'A change counts its time from now, and ends its alert. To say what is known changes nothing.',
  })
  @ApiBody({
    schema: schemaOf(heartbeatRequest),
    examples: { backup: { value: example }, watchdog: { value: watchdog } },
  })
  @ApiResponse({ status: 200, description: 'Declared.', schema: schemaOf(heartbeatView, 'output') })
  @ApiProblem(400, 'Every fault with its place.')
  @ApiProblem(409, 'There are too many heartbeats.')
  declare(
    @Name() name: string,
    @ZodBody(heartbeatRequest) body: z.output<typeof heartbeatRequest>,
    @Req() request: IdentifiedRequest,
  ): Promise<HeartbeatView> {
    return counting(() => this.heartbeats.declare(name, body, requesterOf(request)));
  }

  @Post(':name')
  @HttpCode(200)
  @RequireScope('ingest')
  @ApiOperation({
    summary: 'A beat: say that all is well',
    description: 'With a `period` it makes a heartbeat that is not known. What was declared a beat does not change.',
  })
  @ApiBody({
    required: false,
    schema: schemaOf(beatRequest),
    examples: { beat: { value: {} }, first: { value: { period: '1h', grace: '10m' } } },
  })
  @ApiResponse({ status: 200, description: 'Counted.', schema: schemaOf(heartbeatView, 'output') })
  @ApiProblem(400, 'Every fault with its place.')
  @ApiProblem(404, 'There is no such heartbeat, and no period to make it with.')
  @ApiProblem(409, 'There are too many heartbeats.')
  async beat(
    @Name() name: string,
    @ZodBody(beat) body: z.output<typeof beat>,
    @Req() request: IdentifiedRequest,
  ): Promise<HeartbeatView> {
    return found(await counting(() => this.heartbeats.beat(name, body, requesterOf(request))));
  }

  @Delete(':name')
  @HttpCode(204)
  @RequireScope('manage')
  @ApiOperation({ summary: 'Remove a heartbeat; its alert, if there is one, ends' })
  @ApiResponse({ status: 204, description: 'Removed.' })
  @ApiProblem(400, 'The name is not valid.')
  @ApiProblem(404, 'There is no such heartbeat.')
  async remove(@Name() name: string, @Req() request: IdentifiedRequest): Promise<void> {
    if (!(await this.heartbeats.remove(name, requesterOf(request)))) found(undefined);
  }
}

function found(heartbeat: HeartbeatView | undefined): HeartbeatView {
  if (heartbeat) return heartbeat;
  throw new Problem(404, 'heartbeat-not-found', 'There is no heartbeat with this name', {
    detail: 'Declare it with PUT, or send a beat with a "period".',
  });
}

async function counting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TooManyHeartbeats)) throw error;
    throw new Problem(409, 'too-many-heartbeats', 'There are too many heartbeats', { detail: error.message });
  }
}
