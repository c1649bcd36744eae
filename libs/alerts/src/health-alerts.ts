import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type HealthChange, HealthRegistry } from 'eyrie/health';
import { Lifecycle } from 'eyrie/lifecycle';
import { AlertsService } from './alerts.service.js';
import { type AlertRequest } from './intake/alert-request.js';

export const HEALTH_ALERTS_OPTIONS = Symbol('eyrie:health-alerts-options');

export interface HealthAlertsOptions {
  /** The app whose health it is, such as `api`: a label of the alerts. */
  service: string;
  /** How often a fault that lasts is said again, so that the alert ends by itself when the process is gone. */
  repeatMs?: number;
  /** How long to wait after the hub could not take an alert. */
  retryMs?: number;
}

/** Well below the `resolve_timeout` of five minutes after which an alert that nobody repeats counts as resolved. */
const REPEAT_MS = 60_000;
const RETRY_MS = 5_000;

/**
 * Turns what the health checks of this process find into alerts of the hub: `HealthCheckFailed`, by service, instance and
 * check. What cannot be stored, because the database is what fails, is tried again until it is out of date: an alert for
 * a fault that has passed meanwhile is not raised any more. For that case there is the monitoring outside.
 */
@Injectable()
export class HealthAlerts implements OnApplicationBootstrap {
  private readonly logger = new Logger('HealthAlerts');
  private readonly instance = hostname();
  /** What ought to fire, by check. */
  private readonly wanted = new Map<string, AlertRequest>();
  /** What the hub was told to fire. */
  private readonly raised = new Map<string, AlertRequest>();
  private readonly stopping = new AbortController();
  private wake = new AbortController();

  constructor(
    @Inject(HEALTH_ALERTS_OPTIONS) private readonly options: HealthAlertsOptions,
    private readonly health: HealthRegistry,
    private readonly alerts: AlertsService,
    private readonly lifecycle: Lifecycle,
  ) {}

  onApplicationBootstrap(): void {
    const forget = this.health.onChange((change) => this.take(change));
    const loop = this.loop();
    this.lifecycle.onStop('health alerts', async () => {
      forget();
      this.stopping.abort();
      this.wake.abort();
      await loop;
    });
  }

  private take(change: HealthChange): void {
    if (change.to === 'healthy') this.wanted.delete(change.check);
    else this.wanted.set(change.check, this.alertOf(change));
    this.wake.abort();
  }

  private alertOf({ check, to, critical, error }: HealthChange): AlertRequest {
    return {
      name: 'HealthCheckFailed',
      severity: critical ? 'critical' : 'medium',
      message: `${check} of ${this.options.service} is ${to}${error ? `: ${error}` : ''}`,
      labels: { service: this.options.service, instance: this.instance, check },
    };
  }

  private async loop(): Promise<void> {
    const { repeatMs = REPEAT_MS, retryMs = RETRY_MS } = this.options;
    while (!this.stopping.signal.aborted) {
      this.wake = new AbortController();
      const told = await this.tell();
      const idle = told && this.wanted.size === 0;
      const pauseMs = told ? repeatMs : retryMs;
      // Nothing to repeat: only a change goes on.
      await sleep(idle ? 2 ** 31 - 1 : pauseMs, undefined, { signal: this.wake.signal, ref: false }).catch(
        () => undefined,
      );
    }
  }

  /** False if the hub could not take all of it. */
  private async tell(): Promise<boolean> {
    try {
      for (const [check, alert] of this.raised) {
        if (this.wanted.has(check)) continue;
        await this.alerts.resolve(alert, 'health');
        this.raised.delete(check);
      }
      for (const [check, alert] of this.wanted) {
        const before = this.raised.get(check);
        await this.alerts.trigger(alert, 'health');
        this.raised.set(check, alert);
        // The severity is a label: another one is another alert.
        if (before && before.severity !== alert.severity) await this.alerts.resolve(before, 'health');
      }
      return true;
    } catch (error) {
      this.logger.debug('The hub could not take the health of this process', error);
      return false;
    }
  }
}
