import { redact } from './redact.js';

/** An error as it stands in a log line. */
export interface ErrorFields {
  type: string;
  message: string;
  stack?: string;
  /** The system's or the database's code, such as `ECONNREFUSED` or `23505`. */
  code?: string | number;
  cause?: ErrorFields;
  /** The parts of an AggregateError, the first ten of them. */
  errors?: ErrorFields[];
}

const deepestCause = 8;
const longestText = 16_384;

/**
 * An error with its chain of causes, bounded in depth and length. Own properties other than `code` are left out: drivers
 * hang statements, parameters and whole connections on their errors.
 */
export function errorFields(error: unknown, depth = 0): ErrorFields {
  if (!(error instanceof Error)) return { type: typeName(error), message: textOf(error) };
  const fields: ErrorFields = { type: error.name || 'Error', message: cut(String(error.message)) };
  if (typeof error.stack === 'string') fields.stack = cut(error.stack);
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' || typeof code === 'number') fields.code = code;
  if (depth >= deepestCause) return fields;
  if (error.cause !== undefined && error.cause !== null) fields.cause = errorFields(error.cause, depth + 1);
  if (error instanceof AggregateError) {
    fields.errors = error.errors.slice(0, 10).map((each) => errorFields(each, depth + 1));
  }
  return fields;
}

/**
 * The fields of a line with every error among them, at any depth, as {@link errorFields} gives it, so that no own property
 * of an error comes through another field than `error`. The first level is changed in place; what lies below is copied.
 */
export function plainErrors(line: Record<string, unknown>): Record<string, unknown> {
  for (const name in line) {
    const value = line[name];
    if (typeof value === 'object' && value !== null && name !== 'error' && name !== 'err') {
      line[name] = withoutErrors(value);
    }
  }
  return line;
}

const deepestField = 8;
const mostObjects = 1_000;

/**
 * A value with every error in it, at any depth, as {@link errorFields} gives it; the same value where there is none. What
 * is cyclic, binary, deeper than eight levels, or more than a thousand objects is cut: a line stays a line, whatever is logged.
 */
export function withoutErrors(value: object): unknown {
  const ancestors = new Set<object>();
  let objects = 0;
  const visit = (object: object): unknown => {
    if (object instanceof Error) return errorFields(object);
    if (ArrayBuffer.isView(object)) return `[${object.byteLength} bytes]`;
    if (ancestors.has(object)) return '[Circular]';
    if (ancestors.size > deepestField) return '[Object]';
    objects += 1;
    ancestors.add(object);
    const result = Array.isArray(object) ? visitItems(object) : visitFields(object as Record<string, unknown>);
    ancestors.delete(object);
    return result;
  };
  const visitItems = (items: readonly unknown[]): unknown => {
    let copy: unknown[] | undefined;
    for (const [index, item] of items.entries()) {
      if (typeof item !== 'object' || item === null) continue;
      if (objects >= mostObjects) return [...(copy ?? items).slice(0, index), `[${items.length - index} more]`];
      const plain = visit(item);
      if (plain !== item) (copy ??= items.slice())[index] = plain;
    }
    return copy ?? items;
  };
  const visitFields = (fields: Record<string, unknown>): unknown => {
    let copy: Record<string, unknown> | undefined;
    for (const name of Object.keys(fields)) {
      const field = fields[name];
      if (typeof field !== 'object' || field === null) continue;
      const plain = objects >= mostObjects ? '[Object]' : visit(field);
      if (plain !== field) (copy ??= { ...fields })[name] = plain;
    }
    return copy ?? fields;
  };
  try {
    return visit(value);
  } catch {
    return '[unreadable]'; // a getter that throws
  }
}

function typeName(value: unknown): string {
  return typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'Object') : typeof value;
}

/** Any value as text without the secrets that only its structure tells. Never throws. */
export function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return cut(JSON.stringify(redact(withoutErrors(value))));
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function cut(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText)}… (${text.length} characters)`;
}
