import { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Param, ParseUUIDPipe, Post, Req, StreamableFile } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  AlertsExport,
  AlertsReader,
  AlertsService,
  AlertsSummary,
  alertRequest,
  alertRequests,
  NotificationsReader,
} from 'eyrie/alerts';
import { type AuthenticatedRequest, RequireScope } from 'eyrie/auth';
import { Lifecycle } from 'eyrie/lifecycle';
import { Problem, schemaOf, ZodBody, ZodQuery } from 'eyrie/server';
import * as z from 'zod';
import { ApiKeyNeeded, ApiProblem } from '../api-docs.js';
import { actorOf, storing } from '../intake.js';
import { alertDetails, alertPage, alertQuery, alertsSummary, exportQuery, listOf } from './alerts.schemas.js';
import { webhookExample, webhookMessage } from './webhook.schemas.js';

@ApiTags('alerts')
@ApiKeyNeeded()
@Controller('api/v1/alerts')
export class AlertsController {
  constructor(
    private readonly alerts: AlertsService,
    private readonly reader: AlertsReader,
    private readonly notifications: NotificationsReader,
    private readonly counts: AlertsSummary,
    private readonly exporting: AlertsExport,
    private readonly lifecycle: Lifecycle,
  ) {}

  @Post()
  @HttpCode(202)
  @RequireScope('ingest')
  @ApiOperation({
    summary: 'Raise, repeat or resolve alerts',
    description:
      'An answer in the 200s means that all of them are committed, and will be delivered whatever fails. ' +
      'To resolve one, send it with an `endsAt` that has passed.',
  })
  @ApiBody({
    schema: schemaOf(alertRequests),
    examples: {
      raise: {
        value: { name: 'DiskFull', severity: 'critical', message: '/var has 1 % left', labels: { host: 'db-1' } },
      },
      several: {
        value: [
          { name: 'DiskFull', labels: { host: 'db-1' } },
          { name: 'PaymentsDown', severity: 'high' },
        ],
      },
    },
  })
  @ApiResponse({ status: 202, description: 'Committed.', schema: schemaOf(z.object({ accepted: z.int() })) })
  @ApiProblem(400, 'Every fault with its place. Nothing was stored.')
  async raise(@ZodBody(alertRequests) body: z.output<typeof alertRequests>, @Req() request: AuthenticatedRequest) {
    const alerts: z.output<typeof alertRequest>[] = Array.isArray(body) ? body : [body];
    await storing(() => this.alerts.triggerAll(alerts, actorOf(request)));
    return { accepted: alerts.length };
  }

  @Get()
  @RequireScope('read')
  @ApiOperation({ summary: 'Active alerts and history, the latest first' })
  @ApiQuery({
    name: 'filter',
    required: false,
    isArray: true,
    type: String,
    description: 'A matcher, such as `team="db"`.',
  })
  @ApiQuery({ name: 'state', required: false, enum: ['firing', 'resolved'] })
  @ApiQuery({ name: 'severity', required: false })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } })
  @ApiQuery({ name: 'cursor', required: false, description: '`next` of the page before.' })
  @ApiResponse({ status: 200, description: 'A page.', schema: schemaOf(alertPage) })
  @ApiProblem(400, 'Every fault of the query.')
  async list(@ZodQuery(alertQuery) query: z.output<typeof alertQuery>) {
    const { filter, cursor, ...rest } = query;
    return this.reader.page({ ...rest, matchers: filter, before: cursor });
  }

  @Get('summary')
  @RequireScope('read')
  @ApiOperation({
    summary: 'How many alerts fire, by severity, and how many notifications are under way or were given up',
  })
  @ApiResponse({ status: 200, description: 'At most five seconds old.', schema: schemaOf(alertsSummary) })
  summary() {
    return this.counts.get();
  }

  @Get('export')
  @RequireScope('read')
  @ApiOperation({
    summary: 'All alerts that match, one JSON object a line, the latest first',
    description:
      'The last line is `{"end":{"complete":true,"count":…}}`. Where it says `"complete":false`, as when the server stops ' +
      'meanwhile, its `next` is the `cursor` with which to go on. An answer without that line was cut off.',
  })
  @ApiQuery({ name: 'filter', required: false, isArray: true, type: String, description: 'A matcher.' })
  @ApiQuery({ name: 'state', required: false, enum: ['firing', 'resolved'] })
  @ApiQuery({ name: 'severity', required: false })
  @ApiQuery({ name: 'cursor', required: false, description: '`next` of an export that was cut short.' })
  @ApiResponse({ status: 200, description: 'Lines.', content: { 'application/x-ndjson': {} } })
  @ApiProblem(400, 'Every fault of the query.')
  async export(@ZodQuery(exportQuery) query: z.output<typeof exportQuery>) {
    const { filter, cursor, ...rest } = query;
    const lines = this.exporting.lines({ ...rest, matchers: filter, before: cursor }, this.lifecycle.drainSignal);
    // What fails before the first line is an answer with a status, not half an answer.
    const first = await lines.next();
    const all = Readable.from(startingWith(first, lines));
    return new StreamableFile(all, {
      type: 'application/x-ndjson',
      disposition: 'attachment; filename="alerts.ndjson"',
    });
  }

  @Get(':id')
  @RequireScope('read')
  @ApiOperation({ summary: 'One episode of an alert, with its events and the notifications that told of it' })
  @ApiResponse({ status: 200, description: 'The alert.', schema: schemaOf(alertDetails) })
  @ApiProblem(400, 'The id is no UUID.')
  @ApiProblem(404, 'There is no such alert.')
  async one(@Param('id', ParseUUIDPipe) id: string) {
    const alert = await this.reader.byId(id);
    if (!alert) throw new Problem(404, 'alert-not-found', 'There is no alert with this id');
    const events = await this.reader.events(id);
    return { ...alert, events, notifications: await this.notifications.ofAlert(alert, events) };
  }
}

async function* startingWith(first: IteratorResult<string, void>, rest: AsyncGenerator<string, void>) {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

@ApiTags('integrations')
@ApiKeyNeeded()
@Controller('api/v1/integrations')
export class IntegrationsController {
  constructor(private readonly alerts: AlertsService) {}

  @Post('alertmanager')
  @HttpCode(202)
  @RequireScope('ingest')
  @ApiOperation({
    summary: "Take what Alertmanager's webhook integration sends (payload version 4)",
    description: 'For an Alertmanager that stays in front: name this address in a `webhook_configs` of its receiver.',
  })
  @ApiBody({ schema: schemaOf(webhookMessage), examples: { firing: { value: webhookExample } } })
  @ApiResponse({ status: 202, description: 'Committed.', schema: schemaOf(z.object({ accepted: z.int() })) })
  @ApiProblem(400, 'Every fault with its place. Nothing was stored.')
  async alertmanager(@Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const { alerts, faults } = this.alerts.parseWebhook(body);
    if (faults.length > 0) throw new Problem(400, 'invalid-alert', 'Nothing was stored', { errors: listOf(faults) });
    await storing(() => this.alerts.receive(alerts, actorOf(request)));
    return { accepted: alerts.length };
  }
}
