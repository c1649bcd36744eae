import { Controller, Get, HttpCode, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { DeadLetters, notificationStates, NotificationsReader } from 'eyrie/alerts';
import { RequireScope } from 'eyrie/auth';
import { Problem, schemaOf, ZodQuery } from 'eyrie/server';
import * as z from 'zod';
import { ApiKeyNeeded, ApiProblem } from '../api-docs.js';
import { notificationView, pageLimit, queryText } from '../alerts/alerts.schemas.js';

const query = z.strictObject({
  state: z.enum(notificationStates).optional(),
  receiver: queryText.optional(),
  limit: pageLimit,
  cursor: z.uuid().optional(),
});

const replayQuery = z.strictObject({ receiver: queryText.optional() });
const replayed = z.object({ replayed: z.int() });

const page = z.object({ notifications: z.array(notificationView), next: z.uuid().optional() });

const details = notificationView.extend({
  payload: z.record(z.string(), z.unknown()),
  attemptsMade: z.array(
    z.object({
      number: z.int(),
      at: z.iso.datetime(),
      durationMs: z.int(),
      outcome: z.string(),
      statusCode: z.int().nullable(),
      error: z.string().nullable(),
    }),
  ),
});

@ApiTags('notifications')
@ApiKeyNeeded()
@Controller('api/v1/notifications')
export class NotificationsController {
  constructor(
    private readonly reader: NotificationsReader,
    private readonly deadLetters: DeadLetters,
  ) {}

  @Get()
  @RequireScope('read')
  @ApiOperation({ summary: 'What was told, to whom, and how that went; the latest first. Dead letters: `state=dead`' })
  @ApiQuery({ name: 'state', required: false, enum: notificationStates })
  @ApiQuery({ name: 'receiver', required: false })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } })
  @ApiQuery({ name: 'cursor', required: false, description: '`next` of the page before.' })
  @ApiResponse({ status: 200, description: 'A page.', schema: schemaOf(page) })
  @ApiProblem(400, 'Every fault of the query.')
  list(@ZodQuery(query) { cursor, ...filter }: z.output<typeof query>) {
    return this.reader.page({ ...filter, before: cursor });
  }

  @Post('replay')
  @HttpCode(202)
  @RequireScope('manage')
  @ApiOperation({ summary: 'Send dead letters again, all of them or those of one receiver, the oldest first' })
  @ApiQuery({ name: 'receiver', required: false })
  @ApiResponse({ status: 202, description: 'On their way.', schema: schemaOf(replayed) })
  @ApiProblem(400, 'Every fault of the query.')
  async replayAll(@ZodQuery(replayQuery) { receiver }: z.output<typeof replayQuery>) {
    return { replayed: await this.deadLetters.replayAll(receiver) };
  }

  @Get(':id')
  @RequireScope('read')
  @ApiOperation({ summary: 'One notification, with its payload and every attempt' })
  @ApiResponse({ status: 200, description: 'The notification.', schema: schemaOf(details) })
  @ApiProblem(400, 'The id is no UUID.')
  @ApiProblem(404, 'There is no such notification.')
  async one(@Param('id', ParseUUIDPipe) id: string) {
    const notification = await this.reader.byId(id);
    if (!notification) throw new Problem(404, 'notification-not-found', 'There is no notification with this id');
    return notification;
  }

  @Post(':id/replay')
  @HttpCode(202)
  @RequireScope('manage')
  @ApiOperation({ summary: 'Send a dead letter again: the same message under the same idempotency key' })
  @ApiResponse({ status: 202, description: 'On its way.', schema: schemaOf(replayed) })
  @ApiProblem(400, 'The id is no UUID.')
  @ApiProblem(409, 'It is no dead letter.')
  async replay(@Param('id', ParseUUIDPipe) id: string) {
    if (await this.deadLetters.replay(id)) return { replayed: 1 };
    throw new Problem(409, 'no-dead-letter', 'There is no dead letter with this id');
  }
}
