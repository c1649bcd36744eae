import { Body, Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { AlertsConfigStore, AlertsReader, AlertsService, type ActiveAlert } from 'eyrie/alerts';
import { type AuthenticatedRequest, RequireScope } from 'eyrie/auth';
import { type ProgramInfo } from 'eyrie/config';
import { Problem, schemaOf, ZodQuery } from 'eyrie/server';
import { type z } from 'zod';
import { ApiKeyNeeded, ApiProblem } from '../api-docs.js';
import { PROGRAM_INFO } from '../program-info.js';
import { actorOf, storing } from '../intake.js';
import { alertsQuery, gettableAlerts, postableAlerts, postableExample, status } from './alertmanager.schemas.js';

/** What amtool compares with its own version: the Alertmanager whose API this is. */
const API_VERSION = '0.33.1';

/** Alertmanager's API, version 2, as Prometheus uses it. Errors are JSON strings, as there. */
@ApiTags('alertmanager')
@ApiKeyNeeded()
@Controller('api/v2')
export class AlertmanagerController {
  constructor(
    private readonly alerts: AlertsService,
    private readonly reader: AlertsReader,
    private readonly configs: AlertsConfigStore,
    @Inject(PROGRAM_INFO) private readonly info: ProgramInfo,
  ) {}

  @Post('alerts')
  @HttpCode(200)
  @RequireScope('ingest')
  @ApiOperation({
    summary: 'Take alerts from Prometheus. Of a mixed batch the valid ones are stored, and 400 is answered',
  })
  @ApiBody({ schema: schemaOf(postableAlerts), examples: { firing: { value: postableExample } } })
  @ApiResponse({ status: 200, description: 'Committed.' })
  @ApiProblem(400, 'The faults in a JSON string. The alerts without a fault are committed.')
  async receive(@Body() body: unknown, @Req() request: AuthenticatedRequest): Promise<void> {
    const { alerts, faults } = this.alerts.parse(body);
    await storing(() => this.alerts.receive(alerts, actorOf(request)));
    if (faults.length === 0) return;
    const detail = faults.map((fault) => `${fault.pointer || 'the body'} ${fault.detail}`).join('; ');
    throw new Problem(400, 'invalid-alert', detail);
  }

  @Get('alerts')
  @RequireScope('read')
  @ApiOperation({ summary: 'Firing alerts, in the form of Alertmanager' })
  @ApiQuery({ name: 'filter', required: false, isArray: true, type: String, description: 'A matcher.' })
  @ApiQuery({ name: 'receiver', required: false, description: 'A regular expression over the whole name.' })
  @ApiQuery({ name: 'active', required: false, type: Boolean, description: 'Those that nothing suppresses.' })
  @ApiQuery({ name: 'inhibited', required: false, type: Boolean, description: 'Those that others inhibit.' })
  @ApiQuery({ name: 'silenced', required: false, type: Boolean, description: 'None is.' })
  @ApiQuery({ name: 'unprocessed', required: false, type: Boolean, description: 'None is.' })
  @ApiResponse({ status: 200, description: 'All of them.', schema: schemaOf(gettableAlerts, 'output') })
  @ApiProblem(400, 'The faults of the query in a JSON string.')
  async list(@ZodQuery(alertsQuery) query: z.output<typeof alertsQuery>) {
    const { receiver } = query;
    const alerts = await this.reader.active(query.filter);
    return alerts
      .filter(({ inhibitedBy }) => (inhibitedBy.length > 0 ? query.inhibited : query.active))
      .filter(({ receivers }) => !receiver || receivers.some((name) => receiver.matches({ receiver: name })))
      .map(toGettableAlert);
  }

  @Get('status')
  @RequireScope('read')
  @ApiOperation({ summary: 'Version and configuration, in the form of Alertmanager' })
  @ApiResponse({ status: 200, description: 'Of this process.', schema: schemaOf(status, 'output') })
  status() {
    const { startedAt, version, gitSha, buildTime } = this.info;
    return {
      cluster: { status: 'disabled', peers: [] },
      versionInfo: {
        version: API_VERSION,
        revision: gitSha,
        branch: `eyrie-${version}`,
        buildUser: '',
        buildDate: buildTime,
        goVersion: `node ${process.version}`,
      },
      config: { original: this.configs.config.original },
      uptime: startedAt,
    };
  }
}

function toGettableAlert(alert: ActiveAlert) {
  return {
    labels: alert.labels,
    annotations: alert.annotations,
    generatorURL: alert.generatorURL,
    startsAt: alert.startsAt,
    endsAt: alert.endsAt,
    updatedAt: alert.lastSeenAt,
    fingerprint: alert.fingerprint,
    receivers: alert.receivers.map((name) => ({ name })),
    status: {
      state: alert.inhibitedBy.length > 0 ? 'suppressed' : 'active',
      silencedBy: [],
      inhibitedBy: alert.inhibitedBy,
      mutedBy: [],
    },
  };
}
