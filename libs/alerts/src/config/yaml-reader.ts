import { isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';
import { isEncrypted } from 'eyrie/secrets';
import { Secret } from './secret.js';
import { type Cursor, isPlain, type Place } from './yaml-document.js';

/** Reads a value. Undefined when it cannot: the fault is then recorded in the cursor's document. */
export type Reader<T> = (cursor: Cursor) => T | undefined;

type Fields = Readonly<Record<string, Reader<unknown>>>;

/** What a mapping held; fields that were absent, null or faulty are undefined. */
export type Struct<F extends Fields> = { readonly [K in keyof F]?: F[K] extends Reader<infer T> ? T : never } & {
  /** Where a field's value stands, or would: an absent one has the place of the mapping. Without a name, the mapping's. */
  readonly at: (field?: keyof F & string) => Place;
  /** Whether the field is there and not null, readable or not. */
  readonly has: (field: keyof F & string) => boolean;
};

/** Any scalar as it was written: `1` and `yes` are text too, where text is wanted. */
export const text: Reader<string> = (cursor) => {
  const value = written(cursor);
  if (value === undefined || !isEncrypted(value)) return value;
  return cursor.fault('only what Alertmanager takes for a secret may be encrypted; this is shown to others');
};

const written: Reader<string> = (cursor) => {
  const { node } = cursor;
  if (cursor.isNull()) return '';
  if (!isScalar(node)) return cursor.fault(`expected text, found ${cursor.describe()}`);
  if (node.tag && !['!', 'tag:yaml.org,2002:str'].includes(node.tag)) {
    return cursor.fault(`not supported: the YAML tag ${node.tag}`);
  }
  return String(node.value);
};

/** Text that is never shown: neither printed by accident nor in what is left of the file. It may be encrypted. */
export const secret: Reader<Secret> = (cursor) => {
  const value = written(cursor);
  if (isScalar(cursor.node)) cursor.document.markSecret(cursor.node);
  if (value === undefined) return undefined;
  if (!isEncrypted(value)) return new Secret(value);
  try {
    return new Secret(cursor.document.open(value));
  } catch (error) {
    return cursor.fault(`the value ${(error as Error).message}`);
  }
};

const TRUE = /^(?:[yY]|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:[nN]|no|No|NO|false|False|FALSE|off|Off|OFF)$/;

/** YAML 1.1's spellings, as Alertmanager takes them; not in quotes. */
export const boolean: Reader<boolean> = (cursor) => {
  const value = plain(cursor);
  if (value !== undefined && TRUE.test(value)) return true;
  if (value !== undefined && FALSE.test(value)) return false;
  return cursor.fault('expected true or false');
};

/** A whole number from 0. */
export const count: Reader<number> = (cursor) => {
  const value = plain(cursor);
  if (value !== undefined && /^(?:0|[1-9]\d{0,14})$/.test(value)) return Number(value);
  return cursor.fault('expected a whole number from 0');
};

/** Text turned into something else by a function that throws an Error with the reason. */
export function parsed<T>(parse: (text: string) => T, reader: Reader<string> = text): Reader<T> {
  return (cursor) => {
    const value = reader(cursor);
    if (value === undefined) return undefined;
    try {
      return parse(value);
    } catch (error) {
      return cursor.fault((error as Error).message);
    }
  };
}

/** The value together with where it stands. */
export function placed<T>(reader: Reader<T>): Reader<{ value: T; place: Place }> {
  return (cursor) => {
    const value = reader(cursor);
    return value === undefined ? undefined : { value, place: cursor.place };
  };
}

/** Elements that could not be read are left out; their faults are recorded. */
export function list<T>(element: Reader<T>): Reader<T[]> {
  return (cursor) => {
    const { node } = cursor;
    if (!isSeq(node)) return cursor.fault(`expected a list, found ${cursor.describe()}`);
    return node.items
      .map((item, index) => cursor.child(item as Node | null, `${cursor.path}[${index}]`))
      .map((child) => (child.broken ? undefined : element(child)))
      .filter((value): value is Awaited<T> & T => value !== undefined);
  };
}

/** A mapping with names of the user's own. `checkName` throws an Error for one that is not allowed. */
export function record<T>(element: Reader<T>, checkName: (name: string) => void = () => {}): Reader<Map<string, T>> {
  return (cursor) => {
    const values = new Map<string, T>();
    const entries = mappingEntries(cursor);
    if (!entries) return undefined;
    for (const [name, entry] of entries) {
      parsed(checkName)(cursor.child(entry.key, entry.path));
      const value = element(cursor.child(entry.value, entry.path, entry.key));
      if (value !== undefined) values.set(name, value);
    }
    return values;
  };
}

/**
 * A mapping with the given fields. `unsupported` are those that Alertmanager knows and we do not yet: they are refused
 * by name, so that nothing is ignored and no one looks for a misspelling.
 */
export function struct<F extends Fields>(fields: F, unsupported: readonly string[] = []): Reader<Struct<F>> {
  return (cursor) => {
    const places = new Map<string, Place>();
    const present = new Set<string>();
    const values: Record<string, unknown> = {
      at: (field?: string) => (field ? (places.get(field) ?? cursor.absent(field)) : cursor.place),
      has: (field: string) => present.has(field),
    };
    if (cursor.isNull()) return values as Struct<F>;
    const entries = mappingEntries(cursor);
    if (!entries) return undefined;
    for (const [name, entry] of entries) {
      if (!Object.hasOwn(fields, name)) {
        const reason = unsupported.includes(name) ? `not supported yet: ${name}` : `unknown field: ${name}`;
        cursor.child(entry.key, entry.path).fault(reason);
        continue;
      }
      const child = cursor.child(entry.value, entry.path, entry.key);
      places.set(name, child.place);
      if (child.isNull()) continue;
      present.add(name);
      values[name] = fields[name]!(child);
    }
    return values as Struct<F>;
  };
}

interface Entry {
  key: Node;
  value: Node | null;
  path: string;
}

/** Own entries win over those merged in with `<<`. */
function mappingEntries(cursor: Cursor): Map<string, Entry> | undefined {
  const { node } = cursor;
  if (!isMap(node)) return cursor.fault(`expected a mapping, found ${cursor.describe()}`);
  const entries = new Map<string, Entry>();
  const merged: Map<string, Entry>[] = [];
  for (const { key, value } of node.items as Pair<Node, Node | null>[]) {
    const name = text(cursor.child(key, cursor.path));
    if (name === undefined) continue;
    const path = cursor.pathOf(name);
    if (name === '<<' && isScalar(key) && isPlain(key)) merged.push(...mergedEntries(cursor.child(value, cursor.path)));
    else entries.set(name, { key, value, path });
  }
  for (const more of merged) for (const [name, entry] of more) if (!entries.has(name)) entries.set(name, entry);
  return entries;
}

function mergedEntries(cursor: Cursor): Map<string, Entry>[] {
  const sources = isSeq(cursor.node)
    ? cursor.node.items.map((item) => cursor.child(item as Node | null, cursor.path))
    : [cursor];
  return sources.map(mappingEntries).filter((entries) => entries !== undefined);
}

function plain({ node }: Cursor): string | undefined {
  return isScalar(node) && isPlain(node) ? String(node.value) : undefined;
}
