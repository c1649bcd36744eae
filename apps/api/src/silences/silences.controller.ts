import { Controller, Delete, Get, HttpCode, Param, ParseUUIDPipe, Post, Put, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  Clock,
  InvalidSilence,
  SilenceNotFound,
  SilencesReader,
  SilencesService,
  silenceStates,
  type Silence,
} from 'eyrie/alerts';
import { type AuthenticatedRequest, RequireScope } from 'eyrie/auth';
import { Problem, schemaOf, ZodBody, ZodQuery } from 'eyrie/server';
import type * as z from 'zod';
import { ApiProblem } from '../api-docs.js';
import { CallerNeeded } from '../auth/auth-docs.js';
import { by } from '../auth/by.js';
import {
  silenceDetails,
  silenceExample,
  silencePage,
  silenceQuery,
  silenceRequest,
  silenceView,
  toSilenceView,
} from './silences.schemas.js';

type Body = z.output<typeof silenceRequest>;

/** Silences: who wants no word of what, until when, and why. */
@ApiTags('silences')
@CallerNeeded()
@Controller('api/v1/silences')
export class SilencesController {
  constructor(
    private readonly silences: SilencesService,
    private readonly reader: SilencesReader,
    private readonly clock: Clock,
  ) {}

  @Get()
  @RequireScope('read')
  @ApiOperation({ summary: 'Silences, also those that have expired; the latest made first' })
  @ApiQuery({ name: 'state', required: false, enum: silenceStates })
  @ApiQuery({
    name: 'filter',
    required: false,
    isArray: true,
    type: String,
    description: 'A matcher that the silence has among its own, word for word.',
  })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } })
  @ApiQuery({ name: 'cursor', required: false, description: '`next` of the page before.' })
  @ApiResponse({ status: 200, description: 'A page.', schema: schemaOf(silencePage, 'output') })
  @ApiProblem(400, 'Every fault of the query.')
  async list(@ZodQuery(silenceQuery) { filter, cursor, ...rest }: z.output<typeof silenceQuery>) {
    const { silences, next } = await this.reader.page({ ...rest, matchers: filter, before: cursor });
    return { silences: silences.map((silence) => this.view(silence)), next };
  }

  @Post()
  @RequireScope('respond')
  @ApiOperation({
    summary: 'Make a silence',
    description: 'It holds for every notification that is decided on after the answer; nobody is told of its end.',
  })
  @ApiBody({ schema: schemaOf(silenceRequest), examples: { disks: { value: silenceExample } } })
  @ApiResponse({ status: 201, description: 'Committed.', schema: schemaOf(silenceView, 'output') })
  @ApiProblem(400, 'Every fault with its place.')
  create(@ZodBody(silenceRequest) body: Body, @Req() request: AuthenticatedRequest) {
    return this.set(undefined, body, request);
  }

  @Get(':id')
  @RequireScope('read')
  @ApiOperation({ summary: 'One silence, and who made and changed it, when and from where' })
  @ApiResponse({ status: 200, description: 'The silence.', schema: schemaOf(silenceDetails, 'output') })
  @ApiProblem(400, 'The id is no UUID.')
  @ApiProblem(404, 'There is no such silence.')
  async one(@Param('id', ParseUUIDPipe) id: string) {
    const silence = await this.reader.byId(id);
    if (!silence) throw notFound();
    return { ...this.view(silence), events: await this.reader.events(id) };
  }

  @Put(':id')
  @RequireScope('respond')
  @ApiOperation({
    summary: 'Change a silence',
    description:
      'Where that would alter what was silenced before (other matchers, another start of one that has begun, or one that ' +
      'has expired), it ends and a new one is made: the answer has the id that counts from now on. Without `startsAt` the ' +
      'silence keeps its own.',
  })
  @ApiBody({ schema: schemaOf(silenceRequest), examples: { disks: { value: silenceExample } } })
  @ApiResponse({ status: 200, description: 'Committed.', schema: schemaOf(silenceView, 'output') })
  @ApiProblem(400, 'Every fault with its place.')
  @ApiProblem(404, 'There is no such silence.')
  async change(
    @Param('id', ParseUUIDPipe) id: string,
    @ZodBody(silenceRequest) body: Body,
    @Req() request: AuthenticatedRequest,
  ) {
    const before = await this.reader.byId(id);
    if (!before) throw notFound();
    const kept = this.reader.stateOf(before) === 'expired' ? undefined : before.startsAt;
    return this.set(id, { ...body, startsAt: body.startsAt ?? kept }, request);
  }

  @Delete(':id')
  @HttpCode(200)
  @RequireScope('respond')
  @ApiOperation({ summary: 'End a silence now; one that has expired stays as it is' })
  @ApiResponse({ status: 200, description: 'The silence, expired.', schema: schemaOf(silenceView, 'output') })
  @ApiProblem(400, 'The id is no UUID.')
  @ApiProblem(404, 'There is no such silence.')
  async expire(@Param('id', ParseUUIDPipe) id: string, @Req() request: AuthenticatedRequest) {
    return this.view(await asProblem(() => this.silences.expire(id, by(request))));
  }

  private async set(id: string | undefined, { duration, ...body }: Body, request: AuthenticatedRequest) {
    const endsAt = body.endsAt ?? (body.startsAt ?? this.clock.now()) + duration!;
    const wanted = { ...body, id, endsAt, createdBy: request.caller?.name ?? 'nobody' };
    return this.view(await asProblem(() => this.silences.set(wanted, by(request))));
  }

  private view(silence: Silence) {
    return toSilenceView(silence, this.reader.stateOf(silence));
  }
}

const notFound = () => new Problem(404, 'silence-not-found', 'There is no silence with this id');

async function asProblem<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SilenceNotFound) throw notFound();
    if (error instanceof InvalidSilence) {
      const errors = error.faults.map(({ pointer, detail }) => ({ pointer, detail }));
      throw new Problem(400, 'invalid-request', 'The silence is not valid', { errors });
    }
    throw error;
  }
}
