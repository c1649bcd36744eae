import { EX_CONFIG } from 'eyrie/config';
import type { EncryptionKeys } from 'eyrie/secrets';
import { AlertsConfigError, loadAlertsConfig, walkRoutes } from './config/index.js';
import { loadEscalations } from './escalation/escalations-config.js';

const usage = `Usage: npm run -s check-config -- ALERTMANAGER.YML [ESCALATIONS.YML]
In an image: eyrie check-config …
`;

const EX_USAGE = 64;

export interface CheckConfigOptions {
  /** Those of the settings, if there are any. */
  keys: EncryptionKeys | undefined;
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

/**
 * Says what api and worker would make of a configuration: how much it holds, or each fault with its place. Returns the exit
 * status: 0, 78 where they would refuse to start, 64 if not understood.
 */
export async function checkConfigCli(
  argv: readonly string[],
  { keys, stdout, stderr }: CheckConfigOptions,
): Promise<number> {
  const [file, escalationsFile, ...rest] = argv;
  if (file === undefined || file.startsWith('-') || rest.length > 0) {
    const asked = file === '--help' || file === '-h';
    (asked ? stdout : stderr).write(usage);
    return asked ? 0 : EX_USAGE;
  }
  try {
    const config = await loadAlertsConfig(file, keys);
    const { receivers, inhibitRules, timeIntervals } = config;
    const integrations = [...receivers.values()].flatMap((one) => one.integrations);
    const parts = [
      count([...walkRoutes(config.route)].length, 'route'),
      `${count(receivers.size, 'receiver')} with ${count(integrations.length, 'integration')}`,
      count(inhibitRules.length, 'inhibit rule'),
      count(timeIntervals.size, 'time interval'),
    ];
    stdout.write(`${file}: ${parts.join(', ')}\n`);
    if (escalationsFile === undefined) return 0;
    const { all } = await loadEscalations(escalationsFile, receivers);
    stdout.write(`${escalationsFile}: ${count(all.length, 'escalation')}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof AlertsConfigError)) throw error;
    stderr.write(`${error.message}\n`);
    return EX_CONFIG;
  }
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`;
}
