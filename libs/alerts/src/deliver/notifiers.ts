import { Inject, Injectable } from '@nestjs/common';
import { Lifecycle } from 'eyrie/lifecycle';
import { ALERTS_OPTIONS, type AlertsOptions } from '../alerts.config.js';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { type AlertsConfig } from '../config/index.js';
import { createNotifier, type Notifier } from '../notify/index.js';

/** The notifiers of the configuration in force: they keep connections, and so live as long as it stands. */
@Injectable()
export class Notifiers {
  private byKey = new Map<string, Notifier>();

  constructor(
    private readonly configs: AlertsConfigStore,
    @Inject(ALERTS_OPTIONS) private readonly options: Pick<AlertsOptions, 'externalUrl' | 'version' | 'notify'>,
    lifecycle: Lifecycle,
  ) {
    this.byKey = this.create(configs.config);
    configs.onReload((config) => this.replace(config));
    lifecycle.onStop('notifiers', () => this.close(this.byKey));
  }

  get(integration: string): Notifier | undefined {
    return this.byKey.get(integration);
  }

  /** The time limit of an attempt, in milliseconds. */
  timeoutOf(integration: string): number {
    const found = [...this.configs.config.receivers.values()]
      .flatMap(({ integrations }) => integrations)
      .find(({ key }) => key === integration);
    return (found && 'timeoutMs' in found && found.timeoutMs) || this.options.notify.timeoutMs;
  }

  private create(config: AlertsConfig): Map<string, Notifier> {
    const { externalUrl, version, notify } = this.options;
    const integrations = [...config.receivers.values()].flatMap((receiver) => receiver.integrations);
    return new Map(
      integrations.map((one) => [one.key, createNotifier(one, { ...notify, version, externalURL: externalUrl })]),
    );
  }

  private replace(config: AlertsConfig): void {
    const old = this.byKey;
    this.byKey = this.create(config);
    void this.close(old);
  }

  /** Attempts under way end first, within their own limits. */
  private async close(notifiers: ReadonlyMap<string, Notifier>): Promise<void> {
    await Promise.all([...notifiers.values()].map((notifier) => notifier.close()));
  }
}
