import { dirname } from 'node:path';
import { loadSettings, readProgramInfo, type Settings, SettingsError } from 'eyrie/config';
import { isTracing, tracingRuns } from './running.js';
import { tracingSettings } from './tracing.config.js';

export interface TracedProgram {
  /** `service.name`. */
  service: string;
  /** `service.version`; by default that of the `package.json` above the program. */
  version?: string;
}

/**
 * Starts tracing, if the settings turn it on; otherwise nothing of OpenTelemetry is loaded. What is to be traced must be
 * imported after it, and therefore dynamically:
 *
 * @example
 * import { startTracing } from 'eyrie/tracing/register';
 * await startTracing({ service: 'api' });
 * await import('./bootstrap.js');
 */
export async function startTracing({ service, version = versionOfProgram() }: TracedProgram): Promise<void> {
  const settings = readSettings();
  if (!settings?.tracing.enabled || settings.tracing.disabled || isTracing()) return;
  const { startSdk } = await import('./sdk.js');
  tracingRuns(await startSdk(settings.tracing, { service, version, environment: settings.environment }));
}

/** Faults are left to the app, which reads all of its settings a moment later and reports them together. */
function readSettings(): Settings<{ tracing: typeof tracingSettings }> | undefined {
  try {
    return loadSettings({ tracing: tracingSettings }, { warn: () => undefined });
  } catch (error) {
    if (error instanceof SettingsError) return undefined;
    throw error;
  }
}

function versionOfProgram(): string {
  try {
    return readProgramInfo(dirname(process.argv[1] ?? process.cwd())).version;
  } catch {
    return 'unknown';
  }
}
