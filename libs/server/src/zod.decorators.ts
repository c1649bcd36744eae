import { Body, type PipeTransform, Query } from '@nestjs/common';
import type * as z from 'zod';
import { pointerTo } from './json-body.js';
import { Problem, type ProblemError } from './problem.js';

const mostErrors = 100;

/**
 * The body, as the schema reads it. What it refuses is a problem 400 `invalid-request` with every fault.
 *
 * @example create(@ZodBody(silenceRequest) body: z.output<typeof silenceRequest>) { … }
 */
export function ZodBody(schema: z.ZodType): ParameterDecorator {
  return Body(new ZodPipe(schema, 'The body is not valid'));
}

/** The query, as the schema reads it; each value comes as text, or as a list of texts where a name is repeated. */
export function ZodQuery(schema: z.ZodType): ParameterDecorator {
  return Query(new ZodPipe(schema, 'The query is not valid'));
}

/** Reads a value by a schema. */
export class ZodPipe<T extends z.ZodType> implements PipeTransform<unknown, z.output<T>> {
  constructor(
    private readonly schema: T,
    private readonly title: string,
  ) {}

  transform(value: unknown): z.output<T> {
    const result = this.schema.safeParse(value);
    if (result.success) return result.data;
    throw new Problem(400, 'invalid-request', this.title, problemParts(result.error));
  }
}

function problemParts(error: z.ZodError): { detail?: string; errors: ProblemError[] } {
  const errors = error.issues.flatMap((issue) => errorsOf(issue, []));
  if (errors.length <= mostErrors) return { errors };
  return {
    detail: `The first ${mostErrors} of ${errors.length} faults are listed.`,
    errors: errors.slice(0, mostErrors),
  };
}

function errorsOf(issue: z.core.$ZodIssue, base: readonly PropertyKey[]): ProblemError[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointerTo([...path, key]), detail: 'Unknown field' }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return closest(issue.errors).flatMap((inner) => errorsOf(inner, path));
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => ({ pointer: pointerTo(path), detail: `The name: ${message}` }));
  }
  return [{ pointer: pointerTo(path), detail: issue.message }];
}

/**
 * Of the alternatives of a union, the one that the value was most likely meant for: whose faults lie deepest; of those
 * that lie equally deep, one that does not want another type altogether.
 */
function closest(alternatives: readonly z.core.$ZodIssue[][]): readonly z.core.$ZodIssue[] {
  const closeness = (issues: readonly z.core.$ZodIssue[]) =>
    Math.min(...issues.map(({ path, code }) => path.length - (code === 'invalid_type' ? 0.5 : 0)));
  return alternatives.reduce((best, each) => (closeness(each) > closeness(best) ? each : best));
}
