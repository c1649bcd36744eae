import { Body, Controller, Delete, Get, HttpCode, Param, ParseUUIDPipe, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { InvalidSilence, SilenceNotFound, SilencesReader, SilencesService, type Silence } from 'eyrie/alerts';
import { type AuthenticatedRequest, RequireScope } from 'eyrie/auth';
import { Problem, schemaOf } from 'eyrie/server';
import type * as z from 'zod';
import { ApiKeyNeeded, ApiProblem } from '../api-docs.js';
import { by } from '../auth/by.js';
import { AlertmanagerQuery, silencesQuery } from './alertmanager-query.js';
import {
  gettableSilence,
  gettableSilences,
  parseSilence,
  postableSilence,
  postableSilenceExample,
  postedSilence,
  toGettableSilence,
} from './silence.schemas.js';

/** How long Alertmanager, if nothing else is said, shows silences that have expired. */
const EXPIRED_SHOWN_MS = 120 * 3_600_000;

const silenceId = new ParseUUIDPipe({
  exceptionFactory: () => new Problem(400, 'invalid-request', 'silenceID in path must be of type uuid'),
});

/** The silences of Alertmanager's API, version 2. */
@ApiTags('alertmanager')
@ApiKeyNeeded()
@Controller('api/v2')
export class AlertmanagerSilencesController {
  constructor(
    private readonly silences: SilencesService,
    private readonly reader: SilencesReader,
  ) {}

  @Get('silences')
  @RequireScope('read')
  @ApiOperation({ summary: 'Silences, in the form of Alertmanager; those that expired for five days' })
  @ApiQuery({
    name: 'filter',
    required: false,
    isArray: true,
    type: String,
    description: 'A matcher that the silence has among its own.',
  })
  @ApiResponse({ status: 200, description: 'All of them.', schema: schemaOf(gettableSilences, 'output') })
  @ApiProblem(400, 'The faults of the query in a JSON string.')
  async list(@AlertmanagerQuery(silencesQuery) { filter }: z.output<typeof silencesQuery>) {
    return (await this.reader.all(filter, EXPIRED_SHOWN_MS)).map((silence) => this.view(silence));
  }

  @Post('silences')
  @HttpCode(200)
  @RequireScope('respond')
  @ApiOperation({
    summary: 'Make a silence, or change the one with this id',
    description:
      'Where a change would alter what was silenced before, the old silence ends and a new one is made. It holds for ' +
      'every notification that is decided on after the answer.',
  })
  @ApiBody({ schema: schemaOf(postableSilence), examples: { rack: { value: postableSilenceExample } } })
  @ApiResponse({ status: 200, description: 'Committed.', schema: schemaOf(postedSilence, 'output') })
  @ApiProblem(400, 'The faults in a JSON string.')
  @ApiProblem(404, 'There is no silence with this id.')
  async set(@Body() body: unknown, @Req() request: AuthenticatedRequest): Promise<z.output<typeof postedSilence>> {
    const { id } = await answering(() => this.silences.set(parseSilence(body), by(request)));
    return { silenceID: id };
  }

  @Get('silence/:silenceID')
  @RequireScope('read')
  @ApiOperation({ summary: 'One silence, in the form of Alertmanager' })
  @ApiResponse({ status: 200, description: 'The silence.', schema: schemaOf(gettableSilence, 'output') })
  @ApiProblem(400, 'The id is no UUID.')
  @ApiProblem(404, 'There is no silence with this id.')
  async one(@Param('silenceID', silenceId) id: string) {
    const silence = await this.reader.byId(id);
    if (!silence) throw notFound();
    return this.view(silence);
  }

  @Delete('silence/:silenceID')
  @HttpCode(200)
  @RequireScope('respond')
  @ApiOperation({ summary: 'End a silence; one that has expired stays as it is' })
  @ApiResponse({ status: 200, description: 'It no longer holds.' })
  @ApiProblem(400, 'The id is no UUID.')
  @ApiProblem(404, 'There is no silence with this id.')
  async expire(@Param('silenceID', silenceId) id: string, @Req() request: AuthenticatedRequest): Promise<void> {
    await answering(() => this.silences.expire(id, by(request)));
  }

  private view(silence: Silence) {
    return toGettableSilence(silence, this.reader.stateOf(silence));
  }
}

const notFound = () => new Problem(404, 'silence-not-found', 'silence not found');

async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InvalidSilence) throw new Problem(400, 'invalid-silence', error.message);
    if (error instanceof SilenceNotFound) throw notFound();
    throw error;
  }
}
