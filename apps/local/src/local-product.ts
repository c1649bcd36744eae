import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeUrl, resolveDatabase, type ResolvedDatabase } from 'eyrie/database';
import { Child } from './child.js';
import { LaunchError } from './launch-error.js';
import type { LaunchSettings } from './local.config.js';
import { requireFreePorts } from './ports.js';
import { type Programs, requirePrograms } from './programs.js';
import { LocalReceiver } from './receiver.js';
import type { Screen } from './screen.js';
import { welcome } from './welcome.js';
import { type Keys, WorkspaceFiles } from './workspace-files.js';

/** How long migrations and the start of both apps may take. */
const READY_LIMIT_MS = 120_000;

/** A little more than the apps allow themselves for their drain. */
const DRAIN_LIMIT_MS = 45_000;

export interface ProductOptions {
  settings: LaunchSettings;
  programs: Programs;
  screen: Screen;
  /** Where keys, routing and variables for the apps are kept. */
  folder: string;
  /** Aborts when the person wants it all to end. */
  stop: AbortSignal;
}

/** The whole product on one machine: database, api, worker and a receiver, started in this order and stopped in reverse. */
export class LocalProduct {
  private readonly files: WorkspaceFiles;
  private readonly children: Child[] = [];
  /** What has been opened, each with how it is closed. */
  private readonly opened: (() => Promise<void>)[] = [];
  private readonly over = new AbortController();

  constructor(private readonly options: ProductOptions) {
    this.files = new WorkspaceFiles(resolve(options.folder));
  }

  /**
   * Runs until it is told to stop, then drains.
   * @throws LaunchError when it cannot start, or when a part of it dies; everything else is stopped first
   */
  async run(): Promise<void> {
    try {
      await Promise.race([this.startAndWatch(), aborted(this.options.stop)]);
    } finally {
      this.over.abort();
      for (const close of this.opened.reverse()) await close();
    }
  }

  /** Ends the apps without a drain. An embedded database goes on, and is adopted by the next start. */
  kill(): void {
    for (const child of this.children) child.kill();
  }

  private async startAndWatch(): Promise<never> {
    const { settings, programs, screen } = this.options;
    const { apps, local } = settings;
    requirePrograms(programs);
    await requireFreePorts([
      { variable: 'PORT', port: apps.apiPort },
      { variable: 'WORKER_PORT', port: apps.workerPort },
      { variable: 'LOCAL_RECEIVER_PORT', port: local.receiverPort },
    ]);
    const keys = await this.files.keys();
    await this.files.writeAlertsConfig(local.receiverPort);
    const database = await this.step(
      () => resolveDatabase(settings.database, (sentence) => screen.show(sentence)),
      (found) => found.release(),
    );
    await this.files.writeEnvironment(this.missingVariables(keys, database));
    await this.step(
      () => LocalReceiver.start(local.receiverPort, screen),
      (receiver) => receiver.close(),
    );
    this.opened.push(() => this.drain());
    await this.migrate();
    const api = this.spawn('api');
    // Two compilers that write the same files at once would start an app on half of one.
    if (programs.watched) await Promise.race([this.ready('api', apps.apiPort), failure(api)]);
    const worker = this.spawn('worker');
    const died = Promise.race([failure(api), failure(worker)]);
    await Promise.race([Promise.all([this.ready('api', apps.apiPort), this.ready('worker', apps.workerPort)]), died]);
    screen.show(this.welcome(keys, database));
    return await died;
  }

  /** Opens something unless the stop has come, and remembers how to close it even if the stop comes meanwhile. */
  private async step<T>(open: () => Promise<T>, close: (opened: T) => Promise<unknown>): Promise<T> {
    this.options.stop.throwIfAborted();
    const opening = open();
    this.opened.push(async () => {
      const opened = await opening.catch(() => undefined);
      if (opened !== undefined) await close(opened);
    });
    return await opening;
  }

  /** What the user has not set, in whatever way settings can be set. */
  private missingVariables(keys: Keys, database: ResolvedDatabase): Record<string, string> {
    const { apps } = this.options.settings;
    return {
      ...(database.embedded && { DATABASE_URL: database.url }),
      ...(apps.alertsConfig === undefined && { ALERTS_CONFIG: this.files.alertsConfigFile() }),
      ...(apps.ingestKey === undefined && { INGEST_KEY: keys.ingest }),
      ...(apps.operatorKey === undefined && { OPERATOR_KEY: keys.operator }),
      ...(apps.logLevel === undefined && { LOG_LEVEL: 'warn' }),
      ...(apps.logFormat === undefined && { LOG_FORMAT: 'text' }),
    };
  }

  private async migrate(): Promise<void> {
    const ending = await this.spawn('migrate').ended;
    if (ending === 'ended with status 0') return;
    throw new LaunchError(`The migration of the database ${ending}; its lines above say why.`);
  }

  private spawn(name: 'migrate' | 'api' | 'worker'): Child {
    const { programs, screen, stop } = this.options;
    stop.throwIfAborted();
    const child = new Child(name, [`--env-file=${this.files.environmentFile()}`, ...programs[name]], screen);
    this.children.push(child);
    return child;
  }

  private async drain(): Promise<void> {
    const stopping = this.children.map(async (child) => {
      if ((await child.stop(DRAIN_LIMIT_MS)) === 'drained') return;
      this.options.screen.complain(
        `The ${child.name} did not drain within ${DRAIN_LIMIT_MS / 1_000} s and was killed.`,
      );
    });
    await Promise.all(stopping);
  }

  /** Resolves when the app is ready. One that is being worked on may take as long as its author. */
  private async ready(name: string, port: number): Promise<void> {
    const url = `http://127.0.0.1:${port}/health/ready`;
    const limitMs = this.options.programs.watched ? Infinity : READY_LIMIT_MS;
    for (const deadline = Date.now() + limitMs; Date.now() < deadline; await sleep(50)) {
      this.over.signal.throwIfAborted();
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
      await response?.body?.cancel();
      if (response?.ok) return;
    }
    throw new LaunchError(`The ${name} was not ready at ${url} within ${limitMs / 1_000} s.`);
  }

  private welcome(keys: Keys, database: ResolvedDatabase): string {
    const { apps, local } = this.options.settings;
    return welcome({
      ...{ apiPort: apps.apiPort, workerPort: apps.workerPort, receiverPort: local.receiverPort },
      database: describeUrl(database.url),
      dataFolder: database.directory,
      alertsConfig: resolve(apps.alertsConfig ?? this.files.alertsConfigFile()),
      keysFile: this.files.keysFile(),
      ingestKey: apps.ingestKey === undefined ? keys.ingest : undefined,
      operatorKey: apps.operatorKey === undefined ? keys.operator : undefined,
    });
  }
}

async function failure(child: Child): Promise<never> {
  throw new LaunchError(
    `The ${child.name} ${await child.ended}; its lines above say why. Everything else was stopped.`,
  );
}

/** Resolves when the signal aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
