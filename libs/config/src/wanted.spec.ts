import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { duration, flag, list, size } from './schemas.js';
import { defaultOf, isOptional, wantedAfter, wantedBy } from './wanted.js';

describe('wanted', () => {
  it.each([
    [z.coerce.number().int().min(1).max(9).default(3), 'an integer from 1 to 9'],
    [z.coerce.number().min(0).optional(), 'a number of at least 0'],
    [z.coerce.number().positive().lt(1), 'a number above 0 below 1'],
    [z.enum(['json', 'text']).default('json'), 'one of json, text'],
    [z.union([z.literal('auto'), z.coerce.number().int().min(1)]), '"auto" or an integer of at least 1'],
    [z.url(), 'a URL'],
    [z.string().min(16), 'text of at least 16 characters'],
    [z.string().regex(/^[a-z]+$/), 'text that matches /^[a-z]+$/'],
    [z.email(), 'text in the form of email'],
    [z.string(), 'text'],
    [z.string().max(9).transform(Number), 'text of at most 9 characters'],
    [z.string().describe('a cron expression'), 'a cron expression'],
    [flag().default(true), 'true or false'],
    [duration().refine((ms) => ms > 5), 'a duration such as 30s or 1h30m'],
  ])('A2: says in words what is wanted (%#)', (schema, words) => expect(wantedBy(schema)).toBe(words));

  it("A2: prefers the schema author's own words about a fault", () => {
    const cron = z.string().refine((text) => text.includes('*'), 'a cron expression with a star');
    const slug = z.string().regex(/^[a-z]+$/, 'a word in lower case');
    const long = z.string().min(3);
    const after = (schema: z.ZodType, value: string) => {
      const { error } = schema.safeParse(value);
      return error && wantedAfter(schema, error);
    };
    expect([after(cron, '1'), after(slug, '1'), after(long, '1')]).toEqual([
      'a cron expression with a star',
      'a word in lower case',
      'text of at least 3 characters',
    ]);
  });

  it.each([
    [z.string().default('a'), 'a'],
    [z.coerce.number().default(0.5), '0.5'],
    [flag().default(false), 'false'],
    [duration().default(90_000), '1m30s'],
    [duration().prefault('90s'), '90s'],
    [size().default(2 ** 20), '1MiB'],
    [list().default(['a', 'b']), 'a,b'],
    [z.string().default('3').transform(Number), '3'],
    [z.string().optional(), undefined],
  ])('A5: writes a default as one would in the environment (%#)', (schema, text) => {
    expect(defaultOf(schema)).toBe(text);
    expect(isOptional(schema)).toBe(true);
  });

  it('A2: a coerced schema is required, though it would make "undefined" or NaN of nothing', () => {
    expect([z.coerce.string(), z.coerce.number(), z.string()].map(isOptional)).toEqual([false, false, false]);
  });
});
