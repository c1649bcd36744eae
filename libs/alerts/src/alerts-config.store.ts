import { writeSync } from 'node:fs';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { EX_CONFIG } from 'eyrie/config';
import { ALERTS_OPTIONS, type AlertsOptions } from './alerts.config.js';
import { AlertsConfigError, loadAlertsConfig, parseAlertsConfig, type AlertsConfig } from './config/index.js';
import { Routing } from './ingest/routing.js';

/** Without a file everything is stored and nobody is told. */
const STORE_ONLY = `route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n`;

export type ReloadListener = (config: AlertsConfig) => Promise<void> | void;

/** The configuration in force. A reload replaces it whole, or, when the file has a fault, not at all. */
@Injectable()
export class AlertsConfigStore {
  private readonly logger = new Logger('AlertsConfig');
  private readonly listeners: ReloadListener[] = [];
  private current!: { config: AlertsConfig; routing: Routing };

  constructor(@Inject(ALERTS_OPTIONS) private readonly options: Pick<AlertsOptions, 'configFile'>) {}

  /** @throws AlertsConfigError with every fault of the file */
  static async load(options: Pick<AlertsOptions, 'configFile'>): Promise<AlertsConfigStore> {
    const store = new AlertsConfigStore(options);
    store.use(await store.read());
    return store;
  }

  /** As {@link load}; a file with faults ends the program, as bad settings do: every fault, and status 78 (EX_CONFIG). */
  static async loadOrExit(options: Pick<AlertsOptions, 'configFile'>): Promise<AlertsConfigStore> {
    try {
      return await AlertsConfigStore.load(options);
    } catch (error) {
      if (!(error instanceof AlertsConfigError)) throw error;
      writeSync(2, `ALERTS_CONFIG cannot be used:\n${error.message}\n`);
      process.exit(EX_CONFIG);
    }
  }

  get config(): AlertsConfig {
    return this.current.config;
  }

  get routing(): Routing {
    return this.current.routing;
  }

  onReload(listener: ReloadListener): void {
    this.listeners.push(listener);
  }

  /** @throws AlertsConfigError with every fault of the file; the old configuration stays in force then */
  async reload(): Promise<void> {
    const config = await this.read();
    const changed = config.hash !== this.config.hash;
    this.use(config);
    this.logger.log(changed ? 'configuration reloaded' : 'configuration reloaded, nothing has changed');
    for (const listener of this.listeners) await listener(config);
  }

  private use(config: AlertsConfig): void {
    this.current = { config, routing: new Routing(config) };
  }

  private async read(): Promise<AlertsConfig> {
    const { configFile } = this.options;
    return configFile ? loadAlertsConfig(configFile) : parseAlertsConfig(STORE_ONLY, { baseDirectory: '.' });
  }
}
