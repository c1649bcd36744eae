import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LaunchError } from './launch-error.js';

/** The keys that the local apps accept. */
export interface Keys {
  ingest: string;
  operator: string;
}

/** What `npm start` keeps under `.eyrie/`. Everything is private to this account where it is secret. */
export class WorkspaceFiles {
  constructor(readonly folder: string) {}

  readonly keysFile = () => join(this.folder, 'keys.json');
  readonly alertsConfigFile = () => join(this.folder, 'alertmanager.yml');
  readonly environmentFile = () => join(this.folder, 'apps.env');

  /** The keys of last time; random ones at the first time. */
  async keys(): Promise<Keys> {
    const known = await readFile(this.keysFile(), 'utf8').catch(() => undefined);
    if (known !== undefined) return parseKeys(known, this.keysFile());
    const random = () => randomBytes(24).toString('base64url');
    const keys = { ingest: random(), operator: random() };
    await this.write(this.keysFile(), `${JSON.stringify(keys, undefined, 2)}\n`, 0o600);
    return keys;
  }

  /** An Alertmanager configuration that sends everything, each alert by itself and at once, to the local receiver. */
  async writeAlertsConfig(receiverPort: number): Promise<void> {
    const content = [
      '# Written by `npm start`, each time anew. To change it, copy it and set ALERTS_CONFIG to the copy.',
      'route:',
      '  receiver: local',
      "  group_by: ['...']",
      '  group_wait: 0s',
      '  group_interval: 1s',
      '  repeat_interval: 15m',
      'receivers:',
      '  - name: local',
      '    webhook_configs:',
      `      - url: http://127.0.0.1:${receiverPort}/`,
      '',
    ].join('\n');
    await this.write(this.alertsConfigFile(), content, 0o644);
  }

  /** Variables for the apps, as `node --env-file` reads them; variables of the process itself come before these. */
  async writeEnvironment(variables: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}\n`);
    await this.write(this.environmentFile(), lines.join(''), 0o600);
  }

  private async write(path: string, content: string, mode: number): Promise<void> {
    try {
      await mkdir(this.folder).catch(ifItExists);
      await writeFile(path, content, { mode });
      await chmod(path, mode); // it may have existed
    } catch (error) {
      throw new LaunchError(`${path} cannot be written: ${(error as Error).message}.`, { cause: error });
    }
  }
}

function ifItExists(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

/** In quotes that the value does not hold; single ones first, within which Node takes every character as it is. */
function quoted(value: string): string {
  const quote = ["'", '`', '"'].find((candidate) => !value.includes(candidate)) ?? '';
  return `${quote}${value}${quote}`;
}

function parseKeys(text: string, path: string): Keys {
  try {
    const { ingest, operator } = JSON.parse(text) as Partial<Keys>;
    if (typeof ingest === 'string' && typeof operator === 'string') return { ingest, operator };
  } catch {
    // told below
  }
  throw new LaunchError(`${path} does not hold two keys: remove it, and new ones will be made.`);
}
