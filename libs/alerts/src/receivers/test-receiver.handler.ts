import { Inject, Injectable } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { HandlesTask, type JobInfo, type PayloadOf, type TaskHandler } from 'eyrie/jobs';
import { ALERTS_OPTIONS, type AlertsOptions } from '../alerts.config.js';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { Clock } from '../clock.js';
import { type Integration } from '../config/index.js';
import { healthParameters } from '../deliver/health-statements.js';
import { healthUpdates } from '../deliver/health-update.js';
import { Notifiers } from '../deliver/notifiers.js';
import { type Delivery } from '../notify/index.js';
import { TEST_SETTLED } from './receiver-tests.js';
import { PENDING_TEST, SETTLE_TEST } from './statements.js';
import { testPayload } from './test-payload.js';
import { testReceiver } from './test-receiver.task.js';

/**
 * Sends a test notification the way that notifications go, and says how it went. It asks neither the circuit, which it
 * closes if all is well, nor the rate.
 */
@Injectable()
@HandlesTask(testReceiver)
export class TestReceiverHandler implements TaskHandler<PayloadOf<typeof testReceiver>> {
  constructor(
    private readonly database: Database,
    private readonly configs: AlertsConfigStore,
    private readonly notifiers: Notifiers,
    private readonly clock: Clock,
    @Inject(ALERTS_OPTIONS) private readonly options: Pick<AlertsOptions, 'externalUrl' | 'notify'>,
  ) {}

  async handle({ id, integration }: PayloadOf<typeof testReceiver>, { signal }: JobInfo): Promise<void> {
    const at = this.clock.now();
    // Nobody waits any more: a test that comes hours later would only confuse.
    if ((await this.database.query(PENDING_TEST, [id, integration, at / 1000])).length === 0) return;
    const delivery = await this.send(id, integration, signal);
    const durationMs = this.clock.now() - at;
    const cutOff = signal.aborted && delivery.outcome !== 'delivered';
    const updates = healthUpdates([{ integration, at, durationMs, delivery, cutOff, probe: true }]);
    await this.database.query(SETTLE_TEST, [
      TEST_SETTLED,
      id,
      integration,
      delivery.outcome === 'delivered' ? 'delivered' : 'failed',
      delivery.error,
      Math.round(durationMs),
      ...healthParameters(updates, this.options.notify, this.clock.now()),
    ]);
  }

  private async send(id: string, key: string, signal: AbortSignal): Promise<Delivery> {
    const integration = [...this.configs.config.receivers.values()]
      .flatMap(({ integrations }) => integrations)
      .find((each) => each.key === key);
    if (!integration) return { outcome: 'final', error: "the worker's configuration does not have this integration" };
    const delivery = await this.notify(id, integration, 'firing', signal);
    // A pager opens an incident, which would stay.
    const opens = integration.type === 'pagerduty' && delivery.outcome === 'delivered';
    return opens ? this.notify(id, integration, 'resolved', signal) : delivery;
  }

  private async notify(
    id: string,
    integration: Integration,
    status: 'firing' | 'resolved',
    signal: AbortSignal,
  ): Promise<Delivery> {
    const payload = testPayload(id, integration, status, this.options.externalUrl, this.clock.now());
    const request = { id, attempt: 1, payload, body: JSON.stringify(payload), signal };
    const gone: Delivery = { outcome: 'recoverable', error: 'the configuration was just replaced' };
    return (await this.notifiers.get(integration.key)?.notify(request)) ?? gone;
  }
}
