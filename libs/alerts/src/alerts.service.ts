import { Injectable } from '@nestjs/common';
import type * as z from 'zod';
import { type IncomingAlert } from './alert.js';
import { AlertsConfigStore } from './alerts-config.store.js';
import { Clock } from './clock.js';
import { Watchdogs } from './heartbeats/watchdogs.js';
import { IngestQueue } from './ingest/ingest-queue.js';
import { alertRequest, toPostableAlert, type AlertRequest } from './intake/alert-request.js';
import { pointerStep, type IntakeFault } from './intake/fault.js';
import { parsePostableAlerts, type ParsedAlerts } from './intake/postable-alerts.js';
import { parseWebhookMessage } from './intake/webhook-message.js';

/** The alert does not make sense: every fault with its place. */
export class InvalidAlert extends Error {
  constructor(readonly faults: readonly IntakeFault[]) {
    super(faults.map(({ pointer, detail }) => `${pointer || 'the body'} ${detail}`).join('; '));
  }
}

/** Where alerts come in. Every method resolves only when what it took is committed. */
@Injectable()
export class AlertsService {
  constructor(
    private readonly queue: IngestQueue,
    private readonly configs: AlertsConfigStore,
    private readonly clock: Clock,
    private readonly watchdogs: Watchdogs,
  ) {}

  /**
   * Raises an alert, or says that it still fires.
   * @throws InvalidAlert
   * @example await alerts.trigger({ name: 'PaymentsDown', severity: 'critical', message: 'No payment for 5 minutes' });
   */
  async trigger(alert: AlertRequest, actor = 'code'): Promise<void> {
    await this.triggerAll([parseRequest(alert)], actor);
  }

  /** As {@link trigger}, for requests that are parsed already: all are stored, or none. */
  async triggerAll(alerts: readonly z.output<typeof alertRequest>[], actor = 'code'): Promise<void> {
    await this.receiveAll(this.parse(alerts.map(toPostableAlert)), actor);
  }

  /** Ends the alert with this name, severity and labels; nothing happens where none fires. */
  async resolve(
    alert: Pick<AlertRequest, 'name' | 'severity' | 'labels' | 'message' | 'details'>,
    actor = 'code',
  ): Promise<void> {
    const endsAt = new Date(this.clock.now()).toISOString();
    await this.triggerAll([parseRequest({ ...alert, endsAt })], actor);
  }

  /** Checks Alertmanager's `postableAlerts`; {@link receive} stores them. */
  parse(body: unknown): ParsedAlerts {
    return parsePostableAlerts(body, this.context());
  }

  /** Checks the payload of Alertmanager's webhook, version 4. */
  parseWebhook(body: unknown): ParsedAlerts {
    return parseWebhookMessage(body, this.context());
  }

  /** Commits alerts. @throws IngestOverloaded when too many wait already */
  async receive(alerts: readonly IncomingAlert[], actor: string): Promise<void> {
    if (alerts.length > 0) await this.queue.submit(alerts, actor);
    if (this.watchdogs.any) await this.watchdogs.observe(alerts);
  }

  private async receiveAll({ alerts, faults }: ParsedAlerts, actor: string): Promise<void> {
    if (faults.length > 0) throw new InvalidAlert(faults);
    await this.receive(alerts, actor);
  }

  private context() {
    return { now: this.clock.now(), resolveTimeoutMs: this.configs.config.resolveTimeoutMs };
  }
}

function parseRequest(alert: AlertRequest): z.output<typeof alertRequest> {
  const result = alertRequest.safeParse(alert);
  if (result.success) return result.data;
  throw new InvalidAlert(
    result.error.issues.map(({ path, message }) => ({
      pointer: path.map((step) => pointerStep(String(step))).join(''),
      detail: message,
    })),
  );
}
