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
  if (!(error instanceof Error)) return { type: typeName(error), message: cut(textOf(error)) };
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

function typeName(value: unknown): string {
  return typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'Object') : typeof value;
}

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function cut(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText)}… (${text.length} characters)`;
}
