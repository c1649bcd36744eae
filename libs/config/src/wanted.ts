import * as z from 'zod';
import { forms } from './schemas.js';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** What a schema that is made of another says of it. */
interface Wrapper {
  type: string;
  innerType?: z.ZodType;
  /** The first schema of a pipe (`.transform()`, `.pipe()`). */
  in?: z.ZodType;
  defaultValue?: unknown;
}

/** The form of a schema, or of the one inside `.default()`, `.optional()` and their like. */
function formOf(schema: z.core.$ZodType): ReturnType<typeof forms.get> {
  const { innerType } = schema._zod.def as Wrapper;
  return forms.get(schema) ?? (innerType && formOf(innerType));
}

function range(low: number | undefined, high: number | undefined, unit = ''): string {
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}${unit}`;
  if (low !== undefined) return ` of at least ${low}${unit}`;
  return high === undefined ? '' : ` of at most ${high}${unit}`;
}

function inWords(schema: JsonSchema): string | undefined {
  if (schema.description) return schema.description;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return `one of ${schema.enum.join(', ')}`;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map((choice) => inWords(choice)).join(' or ');
  if (schema.type === 'integer' || schema.type === 'number') {
    const kind = schema.type === 'integer' ? 'an integer' : 'a number';
    const low = schema.minimum === Number.MIN_SAFE_INTEGER ? undefined : schema.minimum;
    const high = schema.maximum === Number.MAX_SAFE_INTEGER ? undefined : schema.maximum;
    const above = schema.exclusiveMinimum === undefined ? '' : ` above ${schema.exclusiveMinimum}`;
    const below = schema.exclusiveMaximum === undefined ? '' : ` below ${schema.exclusiveMaximum}`;
    return `${kind}${range(low, high)}${above}${below}`;
  }
  if (schema.type === 'string') {
    if (schema.format === 'uri') return 'a URL';
    if (schema.format) return `text in the form of ${schema.format}`;
    const pattern = schema.pattern ? ` that matches /${schema.pattern}/` : '';
    return `text${range(schema.minLength, schema.maxLength, ' characters')}${pattern}`;
  }
  return undefined;
}

/** What a schema wants, in words: "an integer from 1 to 100". `.describe('a cron expression')` overrules. */
export function wantedBy(schema: z.ZodType): string {
  const form = formOf(schema);
  if (form) return form.wanted;
  const words = (io: 'input' | 'output') => inWords(z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
  const source = (schema._zod.def as Wrapper).in;
  return words('output') ?? (source ? wantedBy(source) : words('input')) ?? 'text';
}

/** What was wanted where a value was refused: the schema author's own message if there is one, else the schema in words. */
export function wantedAfter(schema: z.ZodType, error: z.core.$ZodError): string {
  const authored = error.issues.find(({ message }) => !/^(Invalid|Too (small|big)|Unrecognized)\b/.test(message));
  return authored?.message ?? wantedBy(schema);
}

/** Whether a schema can do without a value: `.optional()`, `.default()`, `.prefault()`, and what is made of them. */
export function isOptional(schema: z.ZodType): boolean {
  return schema._zod.optin !== undefined;
}

/** A schema's default as one would write it in the environment; `undefined` where it has none. */
export function defaultOf(schema: z.ZodType): string | undefined {
  const { type, innerType, in: source, defaultValue } = schema._zod.def as Wrapper;
  if (type === 'prefault') return String(defaultValue);
  if (type === 'default') return formOf(schema)?.format(defaultValue as never) ?? asText(defaultValue);
  const inner = innerType ?? source;
  return inner && defaultOf(inner);
}

function asText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof URL ? value.href : JSON.stringify(value);
}
