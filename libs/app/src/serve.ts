import { loadSettings, loadSettingsOrExit, readProgramInfo, type Settings, SettingsError } from 'eyrie/config';
import { runApp } from 'eyrie/lifecycle';
import { installLogger } from 'eyrie/logging';
import { collectClusterMetrics, handInMetrics, serveClusterMetrics } from 'eyrie/metrics';
import { runProcesses } from 'eyrie/server/processes';
import { stopTracing } from 'eyrie/tracing';
import { startTracing } from 'eyrie/tracing/register';
import type { Program } from './program.js';
import { type StandardSlices, standardSettings } from './standard-settings.js';

/** What {@link serve} is told. */
export interface Served<S extends StandardSlices> {
  /** The name of the service in logs, metrics and traces. */
  name: string;
  /** `import.meta.dirname`: the `package.json` above it tells the version. */
  directory: string;
  /** Loads the program: dynamically, so that a primary process never does, and that what it imports can be traced. */
  program: () => Promise<{ default: Program<S> }>;
}

/**
 * The whole of an app's `main`: reads the settings, runs as many processes as they say, and in each of them the program,
 * traced, until it is told to stop.
 *
 * @example await serve({ name: 'shop', directory: import.meta.dirname, program: () => import('./program.js') })
 */
export async function serve<S extends StandardSlices>({ name, directory, program }: Served<S>): Promise<void> {
  const settings = await readStandardSettings(program);
  const { logging, environment, server, lifecycle } = settings;
  const { version } = readProgramInfo(directory);
  installLogger({ ...logging, service: name, version, environment });
  await runProcesses({
    name,
    settings: server,
    lifecycle,
    run: () => run({ name, directory, program }),
    onPrimary: () => measure(settings),
  });
}

/** A fault ends the process; the program is then loaded after all, so that its own faults are reported with the others. */
async function readStandardSettings<S extends StandardSlices>(
  program: Served<S>['program'],
): Promise<Settings<StandardSlices>> {
  try {
    return loadSettings(standardSettings, { warn: () => undefined });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return loadSettingsOrExit((await program()).default.slices);
  }
}

/** The totals of all processes; the primary keeps them, and serves them where they have a port of their own. */
async function measure({ metrics }: Settings<StandardSlices>): Promise<() => Promise<void> | undefined> {
  collectClusterMetrics();
  const server = await serveClusterMetrics(metrics);
  return () => server?.close();
}

async function run<S extends StandardSlices>({ name, directory, program }: Served<S>): Promise<void> {
  await startTracing({ service: name });
  const { default: loaded } = await program();
  const settings = loadSettingsOrExit(loaded.slices);
  const info = readProgramInfo(directory);
  const { host, backlog } = settings.server;
  await runApp({
    name,
    settings,
    version: info.version,
    create: (signal) => loaded.create({ service: name, settings, info, signal }),
    async start(app) {
      await app.listen({ port: loaded.port(settings), host, backlog });
      return `${name} listens on ${await app.getUrl()}`;
    },
    async last() {
      await handInMetrics();
      await stopTracing();
    },
  });
}
