import { writeSync } from 'node:fs';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { EX_CONFIG } from 'eyrie/config';
import { type EncryptionKeys } from 'eyrie/secrets';
import { ALERTS_OPTIONS, type AlertsOptions } from './alerts.config.js';
import { AlertsConfigError, loadAlertsConfig, parseAlertsConfig, type AlertsConfig } from './config/index.js';
import { Escalations, loadEscalations } from './escalation/escalations-config.js';
import { Routing } from './ingest/routing.js';

/** Without a file everything is stored and nobody is told. */
const STORE_ONLY = `route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n`;

/** A second file holds what Alertmanager's format has no place for. */
type ConfigFiles = Pick<AlertsOptions, 'configFile'> & Partial<Pick<AlertsOptions, 'escalationsFile'>>;

export type ReloadListener = (config: AlertsConfig) => Promise<void> | void;

/** The configuration in force. A reload replaces it whole, or, when the file has a fault, not at all. */
@Injectable()
export class AlertsConfigStore {
  private readonly logger = new Logger('AlertsConfig');
  private readonly listeners: ReloadListener[] = [];
  private current!: { config: AlertsConfig; routing: Routing; escalations: Escalations };

  constructor(
    @Inject(ALERTS_OPTIONS) private readonly options: ConfigFiles,
    private readonly keys?: EncryptionKeys,
  ) {}

  /**
   * @param keys of the encrypted values in the files
   * @throws AlertsConfigError with every fault of the file
   */
  static async load(options: ConfigFiles, keys?: EncryptionKeys): Promise<AlertsConfigStore> {
    const store = new AlertsConfigStore(options, keys);
    store.use(...(await store.read()));
    return store;
  }

  /** As {@link load}; a file with faults ends the program, as bad settings do: every fault, and status 78 (EX_CONFIG). */
  static async loadOrExit(options: ConfigFiles, keys?: EncryptionKeys): Promise<AlertsConfigStore> {
    try {
      return await AlertsConfigStore.load(options, keys);
    } catch (error) {
      if (!(error instanceof AlertsConfigError)) throw error;
      writeSync(2, `The configuration of alerts cannot be used:\n${error.message}\n`);
      process.exit(EX_CONFIG);
    }
  }

  get config(): AlertsConfig {
    return this.current.config;
  }

  get routing(): Routing {
    return this.current.routing;
  }

  get escalations(): Escalations {
    return this.current.escalations;
  }

  onReload(listener: ReloadListener): void {
    this.listeners.push(listener);
  }

  /** @throws AlertsConfigError with every fault of the file; the old configuration stays in force then */
  async reload(): Promise<void> {
    const [config, escalations] = await this.read();
    const changed = config.hash !== this.config.hash || escalations.hash !== this.escalations.hash;
    this.use(config, escalations);
    this.logger.log(changed ? 'configuration reloaded' : 'configuration reloaded, nothing has changed');
    for (const listener of this.listeners) await listener(config);
  }

  private use(config: AlertsConfig, escalations: Escalations): void {
    this.current = { config, routing: new Routing(config), escalations };
  }

  private async read(): Promise<[AlertsConfig, Escalations]> {
    const { configFile, escalationsFile } = this.options;
    const config = await (configFile
      ? loadAlertsConfig(configFile, this.keys)
      : parseAlertsConfig(STORE_ONLY, { baseDirectory: '.' }));
    const escalations = escalationsFile ? await loadEscalations(escalationsFile, config.receivers) : new Escalations();
    return [config, escalations];
  }
}
