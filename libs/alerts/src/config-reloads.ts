import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { Lifecycle } from 'eyrie/lifecycle';
import { AlertsConfigStore } from './alerts-config.store.js';
import { AlertsConfigError } from './config/index.js';

const CHANNEL = 'eyrie_config_reload';

/** Carries a reload to every process: SIGHUP reloads the one that gets it, a request to the api reloads them all. */
@Injectable()
export class ConfigReloads implements OnApplicationBootstrap {
  private readonly logger = new Logger('AlertsConfig');
  /** Tells this one's own notice from those of others. */
  private readonly origin = randomUUID();
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly database: Database,
    private readonly configs: AlertsConfigStore,
    private readonly lifecycle: Lifecycle,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.lifecycle.onReload('alerts configuration', () => this.reload());
    const unlisten = await this.database.listen(CHANNEL, (origin) => {
      // An empty notice follows a lost connection: the real one may have been missed.
      if (origin !== this.origin) void this.reloadQuietly();
    });
    this.lifecycle.onStop('configuration reloads', async () => {
      await unlisten();
      await Promise.allSettled(this.underWay);
    });
  }

  /** @throws AlertsConfigError when the file has a fault here; then no process is asked */
  async reloadEverywhere(): Promise<void> {
    await this.reload();
    await this.database.query('SELECT pg_notify($1, $2)', [CHANNEL, this.origin]);
  }

  private reload(): Promise<void> {
    const reload = this.configs.reload().finally(() => this.underWay.delete(reload));
    this.underWay.add(reload);
    return reload;
  }

  private async reloadQuietly(): Promise<void> {
    await this.reload().catch((error: unknown) => {
      if (this.lifecycle.drainSignal.aborted) return;
      const refused = error instanceof AlertsConfigError;
      this.logger.error(
        { err: error },
        refused ? 'reload refused, the old configuration stays in force' : 'reloaded, but not everywhere taken over',
      );
    });
  }
}
