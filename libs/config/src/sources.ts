import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { type Environment, environments, type Fault } from './setting.js';

/** Where a value came from. */
export type Source = 'environment' | 'default' | `file ${string}` | `secret file ${string}`;

export interface SourceOptions {
  /** Instead of `process.env`. */
  env?: Readonly<Record<string, string | undefined>>;
  /** The folder of the `.env` files, and of relative `<NAME>_FILE` paths; by default that of the process. */
  cwd?: string;
}

/** A value's text and its source; without `text` the setting is left to its default. */
export interface Found {
  text?: string;
  source: Source;
  fault?: Fault;
}

interface Layer {
  source: Source;
  values: Readonly<Record<string, string | undefined>>;
}

/**
 * Everything that can give a setting its value, the strongest first: the process environment,
 * `.env.<environment>.local`, `.env.<environment>`, `.env`, the files of `SECRETS_DIR`. Each of the first four may
 * name a file instead (`<NAME>_FILE`). An empty value says "use the default", whatever the weaker sources hold.
 */
export class Sources {
  readonly environment: Environment;
  readonly faults: Fault[] = [];
  /** Names in the `.env` files, to be looked at for misspellings. */
  readonly fileNames: { name: string; source: Source }[];
  private readonly cwd: string;
  private readonly layers: Layer[];
  private readonly secrets: ReadonlyMap<string, string[]>;

  constructor({ env = process.env, cwd = process.cwd() }: SourceOptions = {}) {
    this.cwd = cwd;
    const processLayer: Layer = { source: 'environment', values: env };
    const base = this.readEnvFile('.env');
    this.environment = this.readEnvironment([processLayer, base]);
    const files = [
      this.readEnvFile(`.env.${this.environment}.local`),
      this.readEnvFile(`.env.${this.environment}`),
      base,
    ];
    this.layers = [processLayer, ...files];
    this.fileNames = files.flatMap(({ source, values }) => Object.keys(values).map((name) => ({ name, source })));
    this.secrets = this.listSecrets();
  }

  /** The text of one setting, from the strongest source that has it. */
  find(name: string): Found {
    for (const { source, values } of this.layers) {
      const [text, path] = [values[name], values[`${name}_FILE`]];
      if (text && path) {
        return { source, fault: { name, wanted: `either ${name} or ${name}_FILE`, given: 'both' } };
      }
      if (path) return this.readSecret(`${name}_FILE`, resolve(this.cwd, path));
      if (text !== undefined) return text === '' ? { source: 'default' } : { text, source };
    }
    const [path, other] = this.secrets.get(name) ?? [];
    if (path === undefined) return { source: 'default' };
    if (other === undefined) return this.readSecret(name, path);
    return { source: 'default', fault: { name, wanted: 'one secret file', given: `${path} and ${other}` } };
  }

  private readEnvironment(layers: Layer[]): Environment {
    const given = layers.map(({ values }) => values['ENVIRONMENT']).find(Boolean) ?? 'development';
    const known = environments.find((name) => name === given);
    if (!known) this.faults.push({ name: 'ENVIRONMENT', wanted: `one of ${environments.join(', ')}`, given });
    return known ?? 'development';
  }

  private readEnvFile(name: string): Layer {
    const layer = { source: `file ${name}` as const };
    try {
      const text = readFileSync(join(this.cwd, name), 'utf8');
      return { ...layer, values: parseEnv(text.replace(/^\uFEFF/, '')) };
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.faults.push({ name, wanted: 'a readable file', given: codeOf(error) });
      return { ...layer, values: {} };
    }
  }

  private readSecret(name: string, path: string): Found {
    const source = `secret file ${path}` as const;
    try {
      const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
      if (text) return { text, source };
      return { source, fault: { name, wanted: 'a file that is not empty', given: path } };
    } catch (error) {
      return { source, fault: { name, wanted: 'a readable file', given: `${path} (${codeOf(error)})` } };
    }
  }

  /** The paths of the secret files by upper-case name. Only a folder that was asked for has to exist. */
  private listSecrets(): Map<string, string[]> {
    const asked = this.layers.map(({ values }) => values['SECRETS_DIR']).find((path) => path !== undefined);
    const folder = resolve(this.cwd, asked || '/run/secrets');
    const paths = new Map<string, string[]>();
    try {
      for (const file of readdirSync(folder).sort()) {
        const name = file.toUpperCase();
        paths.set(name, [...(paths.get(name) ?? []), join(folder, file)]);
      }
    } catch (error) {
      if (asked) {
        this.faults.push({ name: 'SECRETS_DIR', wanted: 'a readable folder', given: `${folder} (${codeOf(error)})` });
      }
    }
    return paths;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
