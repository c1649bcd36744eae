import { applyDecorators, Body, Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { AlertGroupsReader, AlertsConfigStore, AlertsReader, AlertsService, type ActiveAlert } from 'eyrie/alerts';
import { type AuthenticatedRequest, RequireScope } from 'eyrie/auth';
import { type ProgramInfo } from 'eyrie/config';
import { Problem, schemaOf } from 'eyrie/server';
import type * as z from 'zod';
import { ApiKeyNeeded, ApiProblem } from '../api-docs.js';
import { PROGRAM_INFO } from '../program-info.js';
import { actorOf, storing } from '../intake.js';
import {
  AlertmanagerQuery,
  alertsQuery,
  groupsQuery,
  receiverFilter,
  receiversQuery,
  type AlertsQuery,
} from './alertmanager-query.js';
import {
  alertGroups,
  gettableAlerts,
  postableAlerts,
  postableExample,
  receiverList,
  status,
} from './alertmanager.schemas.js';

/** What amtool compares with its own version: the Alertmanager whose API this is. */
const API_VERSION = '0.33.1';

/** Which alerts a query is about. */
function AlertFilters(): MethodDecorator {
  return applyDecorators(
    ApiQuery({ name: 'filter', required: false, isArray: true, type: String, description: 'A matcher.' }),
    ApiQuery({ name: 'receiver', required: false, description: 'A regular expression over the whole name.' }),
    ReceiverMatchers(),
    ApiQuery({ name: 'active', required: false, type: Boolean, description: 'Those that nothing suppresses.' }),
    ApiQuery({ name: 'silenced', required: false, type: Boolean, description: 'Those that a silence holds for.' }),
    ApiQuery({ name: 'inhibited', required: false, type: Boolean, description: 'Those that others inhibit.' }),
  );
}

function ReceiverMatchers(): MethodDecorator {
  const description = 'A matcher of a label of the receiver; its one label is `name`.';
  return ApiQuery({ name: 'receiver_matchers', required: false, isArray: true, type: String, description });
}

/** Alertmanager's API, version 2: its alerts, groups, receivers and status. Errors are JSON strings, as there. */
@ApiTags('alertmanager')
@ApiKeyNeeded()
@Controller('api/v2')
export class AlertmanagerController {
  constructor(
    private readonly alerts: AlertsService,
    private readonly reader: AlertsReader,
    private readonly groupsReader: AlertGroupsReader,
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
  @AlertFilters()
  @ApiQuery({ name: 'unprocessed', required: false, type: Boolean, description: 'None is.' })
  @ApiResponse({ status: 200, description: 'All of them.', schema: schemaOf(gettableAlerts, 'output') })
  @ApiProblem(400, 'The faults of the query in a JSON string.')
  async list(@AlertmanagerQuery(alertsQuery) query: z.output<typeof alertsQuery>) {
    const asked = receiverFilter(query);
    const alerts = await this.reader.active(query.filter);
    return alerts
      .filter(statusFilter(query))
      .filter(({ receivers }) => receivers.some(asked))
      .sort((one, other) => (one.fingerprint < other.fingerprint ? -1 : 1))
      .map((alert) => toGettableAlert(alert));
  }

  @Get('alerts/groups')
  @RequireScope('read')
  @ApiOperation({ summary: 'Firing alerts as receivers are told of them together, in the form of Alertmanager' })
  @AlertFilters()
  @ApiQuery({ name: 'muted', required: false, type: Boolean, description: 'Groups that a time interval mutes.' })
  @ApiResponse({ status: 200, description: 'All of them.', schema: schemaOf(alertGroups, 'output') })
  @ApiProblem(400, 'The faults of the query in a JSON string.')
  async groups(@AlertmanagerQuery(groupsQuery) query: z.output<typeof groupsQuery>) {
    const groups = await this.groupsReader.groups({
      matchers: query.filter,
      receiver: receiverFilter(query),
      alert: statusFilter(query),
    });
    return groups
      .filter(({ mutedBy }) => query.muted || mutedBy.length === 0)
      .map(({ labels, receiver, mutedBy, alerts }) => ({
        labels,
        receiver: { name: receiver },
        alerts: alerts.map((alert) => toGettableAlert(alert, mutedBy)),
      }));
  }

  @Get('receivers')
  @RequireScope('read')
  @ApiOperation({ summary: 'The receivers of the configuration, in the form of Alertmanager' })
  @ReceiverMatchers()
  @ApiResponse({ status: 200, description: 'All of them.', schema: schemaOf(receiverList, 'output') })
  @ApiProblem(400, 'The faults of the query in a JSON string.')
  receivers(@AlertmanagerQuery(receiversQuery) query: z.output<typeof receiversQuery>) {
    const names = [...this.configs.config.receivers.keys()].filter(receiverFilter(query));
    return names.map((name) => ({ name, labels: { name } }));
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

function statusFilter({ active, silenced, inhibited }: AlertsQuery) {
  return ({ silencedBy, inhibitedBy }: ActiveAlert) =>
    (active || silencedBy.length + inhibitedBy.length > 0) &&
    (silenced || silencedBy.length === 0) &&
    (inhibited || inhibitedBy.length === 0);
}

function toGettableAlert(alert: ActiveAlert, mutedBy: readonly string[] = []) {
  const { silencedBy, inhibitedBy } = alert;
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
      state: silencedBy.length + inhibitedBy.length + mutedBy.length > 0 ? 'suppressed' : 'active',
      silencedBy,
      inhibitedBy,
      mutedBy,
    },
  };
}
