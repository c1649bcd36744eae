import { developmentSecret } from './development-secret.js';
import { freezeDeep } from './freeze.js';
import { misspellings } from './misspelling.js';
import {
  type Environment,
  type Fault,
  reservedNames,
  type Setting,
  type SettingsSlice,
  type Slices,
} from './setting.js';
import { type Found, type Source, type SourceOptions, Sources } from './sources.js';
import { defaultOf, isOptional, wantedAfter, wantedBy } from './wanted.js';

/** One setting as it takes effect, fit to be shown: secrets are redacted. */
export interface SettingRow {
  name: string;
  /** As written in its source; empty where there is neither a value nor a default. */
  value: string;
  source: Source;
  default: string;
  description: string;
  /** The key of its slice. */
  slice: string;
  fault?: string;
}

/** Everything there is to know about the environment of a process, faulty or not. */
export interface Inspection {
  environment: Environment;
  /** The values by slice; whole only if there are no faults. */
  settings: Readonly<Record<string, unknown>>;
  faults: Fault[];
  warnings: string[];
  rows: SettingRow[];
}

export const redacted = '[redacted]';

/** One setting after reading: a value, or a fault and (if the schema has one) the default that stands in for the rules. */
interface Reading extends Found {
  setting: Setting;
  value?: unknown;
  /** No value, not even a default. */
  missing: boolean;
}

/** Reads every setting of the slices, from all sources, and gathers all faults. */
export function inspect(slices: Slices, options: SourceOptions = {}): Inspection {
  assertDistinct(slices);
  const sources = new Sources(options);
  const { environment } = sources;
  const faults = [...sources.faults];
  const settings: Record<string, unknown> = { environment };
  const rows: SettingRow[] = [];

  for (const [key, slice] of Object.entries(slices)) {
    const readings = Object.fromEntries(
      Object.entries(slice.fields).map(([field, setting]) => [field, read(setting, sources)]),
    );
    const found = judge(slice, readings, environment);
    faults.push(...found);
    settings[key] = Object.fromEntries(Object.entries(readings).map(([field, { value }]) => [field, value]));
    rows.push(...Object.values(readings).map((reading) => toRow(reading, key, environment, found)));
  }
  const known = [...reservedNames, ...rows.map(({ name }) => name)];
  return { environment, settings: freezeDeep(settings), faults, warnings: misspellings(sources, known), rows };
}

function read(setting: Setting, sources: Sources): Reading {
  const { name, schema, secret } = setting;
  const found = sources.find(name);
  const fallback = schema.safeParse(setting.defaults?.[sources.environment]);
  const usable = isOptional(schema) || setting.defaults?.[sources.environment] !== undefined;
  const standIn = usable && fallback.success ? { value: fallback.data, missing: false } : { missing: true };
  if (found.fault) return { setting, ...found, ...standIn };
  if (found.text === undefined) {
    if (!standIn.missing) return { setting, ...found, ...standIn };
    return { setting, ...found, missing: true, fault: { name, wanted: wantedBy(schema), given: 'nothing' } };
  }
  const result = schema.safeParse(found.text);
  if (result.success) return { setting, ...found, value: result.data, missing: false };
  const given = shown(found.text, secret);
  return { setting, ...found, ...standIn, fault: { name, wanted: wantedAfter(schema, result.error), given } };
}

/** The faults of single settings, the secrets unfit for production, and what the slice's own rules find. */
function judge(slice: SettingsSlice, readings: Record<string, Reading>, environment: Environment): Fault[] {
  const all = Object.values(readings);
  const own = all.flatMap(({ fault }) => fault ?? []);
  const weak = environment === 'production' ? all.filter(({ fault }) => !fault).flatMap(unfitSecret) : [];
  const named = new Set([...own, ...weak].map(({ name }) => name.replace(/_FILE$/, '')));
  const values = Object.fromEntries(Object.entries(readings).map(([field, { value }]) => [field, value]));
  const broken = all.some(({ missing }) => missing);
  const between = broken ? [] : (slice.check?.(values, environment) ?? []).filter(({ name }) => !named.has(name));
  return [...own, ...weak, ...between.map((fault) => withGiven(fault, all, environment))];
}

function unfitSecret({ setting, text }: Reading): Fault[] {
  const { name, secret, example, defaults } = setting;
  const value = text ?? defaults?.production ?? defaultOf(setting.schema);
  const wanted = secret && value !== undefined ? developmentSecret(value, example) : undefined;
  return wanted ? [{ name, wanted: `${wanted}, in production`, given: redacted }] : [];
}

/** A rule's fault says what was given, unless the rule did; a secret stays secret whatever the rule says. */
function withGiven(fault: Fault, readings: Reading[], environment: Environment): Fault {
  const reading = readings.find(({ setting }) => setting.name === fault.name);
  if (!reading) return fault;
  const effective = reading.text ?? defaultText(reading.setting, environment);
  const given = effective === '' ? 'nothing' : shown(effective, reading.setting.secret);
  return { ...fault, given: reading.setting.secret ? given : (fault.given ?? given) };
}

function toRow(
  { setting, text, source }: Reading,
  slice: string,
  environment: Environment,
  faults: Fault[],
): SettingRow {
  const { name, description, secret } = setting;
  const fallback = defaultText(setting, environment);
  const value = text ?? fallback;
  const fault = faults.find((each) => each.name === name || each.name === `${name}_FILE`);
  return {
    name,
    value: value && shown(value, secret),
    source,
    default: fallback && shown(fallback, secret),
    description,
    slice,
    ...(fault && { fault: `wanted ${fault.wanted}` }),
  };
}

/** The default of a setting in an environment, as one would write it; empty where it has none. */
export function defaultText({ schema, defaults }: Setting, environment: Environment): string {
  return defaults?.[environment] ?? defaultOf(schema) ?? '';
}

/** A value as it may be shown: secrets never, of a URL not the credentials, and blanks that the eye would miss quoted. */
export function shown(value: string, secret = false): string {
  if (secret) return redacted;
  const safe = value.replace(/(:\/\/)\S*@/g, `$1${redacted}@`);
  return /^\s|\s$|\p{Cc}/u.test(safe) ? JSON.stringify(safe) : safe;
}

/** Two meanings for one variable are a mistake of the program, found at its first start. */
function assertDistinct(slices: Slices): void {
  if ('environment' in slices) throw new Error('a slice cannot be called "environment"');
  const settings = new Map<string, Setting>();
  for (const setting of Object.values(slices).flatMap(({ fields }) => Object.values(fields))) {
    const other = settings.get(setting.name);
    if (other && other !== setting) throw new Error(`${setting.name} is defined twice`);
    settings.set(setting.name, setting);
  }
  for (const name of settings.keys()) {
    if (settings.has(`${name}_FILE`)) throw new Error(`${name}_FILE is both a setting and the secret file of ${name}`);
  }
}
