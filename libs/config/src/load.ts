import { writeSync } from 'node:fs';
import { inspect, type SettingRow } from './inspect.js';
import type { Fault, Settings, Slices } from './setting.js';
import type { SourceOptions } from './sources.js';

/** `EX_CONFIG` of sysexits.h: the status of a process whose environment is not valid. */
export const EX_CONFIG = 78;

/** The environment is not valid. The message lists every fault, a line each. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(readonly faults: readonly Fault[]) {
    super(`The environment is not valid:\n${faults.map((fault) => `  ${faultLine(fault)}`).join('\n')}`);
  }
}

/** "PORT: wanted a port from 0 (any free one) to 65535, given http" */
export function faultLine({ name, wanted, given }: Fault): string {
  return `${name}: wanted ${wanted}${given === undefined ? '' : `, given ${given}`}`;
}

export interface LoadOptions extends SourceOptions {
  /** Takes each warning (a likely misspelling in a `.env` file); by default it goes to stderr. */
  warn?: (sentence: string) => void;
}

/**
 * Reads the settings of an app: one frozen object with the values of each slice under its key.
 *
 * @throws SettingsError with every fault there is.
 * @example const settings = loadSettings({ server: serverSettings, database: databaseSettings });
 */
export function loadSettings<S extends Slices>(slices: S, options: LoadOptions = {}): Settings<S> {
  const { warn = (sentence) => void writeSync(2, `${sentence}\n`), ...sources } = options;
  const { settings, faults, warnings } = inspect(slices, sources);
  warnings.forEach(warn);
  if (faults.length > 0) throw new SettingsError(faults);
  return settings as Settings<S>;
}

/** {@link loadSettings} for a `main.ts`: prints every fault to stderr and ends the process with status 78. */
export function loadSettingsOrExit<S extends Slices>(slices: S, options: LoadOptions = {}): Settings<S> {
  try {
    return loadSettings(slices, options);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    writeSync(2, `${error.message}\n`);
    process.exit(EX_CONFIG);
  }
}

/** Each setting as it takes effect, secrets redacted, whether the environment is valid or not. */
export function describeSettings(slices: Slices, options: SourceOptions = {}): SettingRow[] {
  return inspect(slices, options).rows;
}
