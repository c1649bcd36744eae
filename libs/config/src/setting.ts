import type * as z from 'zod';

/** The environments a process can run in; `ENVIRONMENT` names one, `development` is the default. */
export const environments = ['development', 'test', 'staging', 'production'] as const;
export type Environment = (typeof environments)[number];

/** Something wrong with the environment of the process: which variable, what is wanted, what was given. */
export interface Fault {
  /** The name of the variable (or of the file) at fault. */
  name: string;
  /** What would have been right, to be read after the word "wanted". */
  wanted: string;
  /** What was found, already fit to be shown; left out, the value that was read is shown. */
  given?: string;
}

export interface SettingOptions {
  /** One or two sentences for the table of settings and the documentation. */
  description: string;
  /** Shown as `[redacted]` everywhere, and refused in production if it looks like a development secret. */
  secret?: boolean;
  /** A value for the documentation. Production refuses a secret that equals it. */
  example?: string;
  /** Defaults of single environments, written as in the environment; they come before the schema's own. */
  defaults?: Partial<Record<Environment, string>>;
}

/** One variable: its name in the environment, the schema that reads its text, and what to say about it. */
export interface Setting<S extends z.ZodType = z.ZodType> extends Readonly<SettingOptions> {
  readonly name: string;
  readonly schema: S;
}

export type Fields = Readonly<Record<string, Setting>>;
export type ValuesOf<F extends Fields> = { readonly [K in keyof F]: z.output<F[K]['schema']> };

/** The settings of one library, and the rules between them. */
export interface SettingsSlice<F extends Fields = Fields> {
  readonly fields: F;
  check?(values: ValuesOf<F>, environment: Environment): Fault[];
}

/** What a slice becomes once it is read. */
export type SettingsOf<T extends SettingsSlice> = ValuesOf<T['fields']>;

/** The slices of an app, by the key under which each is found in the settings. */
export type Slices = Readonly<Record<string, SettingsSlice>>;

/** What an app gets: its environment, and the values of each slice. Frozen in depth. */
export type Settings<S extends Slices> = { readonly environment: Environment } & {
  readonly [K in keyof S]: SettingsOf<S[K]>;
};

/** Settings that `libs/config` reads itself; no slice may claim them. */
export const reservedNames: readonly string[] = ['ENVIRONMENT', 'SECRETS_DIR'];

/**
 * Declares one variable, read by the schema from its text. It is required unless the schema has `.optional()`,
 * `.default(value)` or `.prefault('text')`, or `defaults` names the environment.
 *
 * @example setting('DATABASE_POOL_MAX', z.coerce.number().int().min(1).default(10), { description: 'Connections …' })
 */
export function setting<S extends z.ZodType>(name: string, schema: S, options: SettingOptions): Setting<S> {
  if (!/^[A-Z][A-Z0-9_]*$/.test(name)) throw new Error(`${name} is not a name for a setting: wanted UPPER_CASE`);
  if (reservedNames.includes(name)) throw new Error(`${name} belongs to libs/config`);
  return Object.freeze({ ...options, name, schema });
}

/**
 * Declares the settings of one library. `check` sees all values of the slice and returns what is wrong between them, or
 * wrong in this environment. Where a value could not be read its default stands in, so that all faults come at once.
 */
export function defineSettings<F extends Fields>(
  fields: F,
  rules: { check?(values: ValuesOf<F>, environment: Environment): Fault[] } = {},
): SettingsSlice<F> {
  return Object.freeze({ fields, ...rules });
}
