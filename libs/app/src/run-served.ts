import { loadSettings, loadSettingsOrExit, readProgramInfo, type Settings, SettingsError } from 'eyrie/config';
import { runApp } from 'eyrie/lifecycle';
import { installLogger } from 'eyrie/logging';
import { collectClusterMetrics, handInMetrics, serveClusterMetrics } from 'eyrie/metrics';
import { runProcesses } from 'eyrie/server/processes';
import { stopTracing } from 'eyrie/tracing';
import { startTracing } from 'eyrie/tracing/register';
import type { Served } from './program.js';
import { letYoungGenerationGrow } from './young-generation.js';
import { type StandardSlices, standardSettings } from './standard-settings.js';

/** What `serve` does. */
export async function runServed<S extends StandardSlices>({ name, directory, program }: Served<S>): Promise<void> {
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
      letYoungGenerationGrow();
      return `${name} listens on ${await app.getUrl()}`;
    },
    async last() {
      await handInMetrics();
      await stopTracing();
    },
  });
}
