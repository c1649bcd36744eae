import { Matcher, type Labels, type MatchOperator } from '../config/index.js';
import { type Silence } from './silence.js';

/** A matcher as the table holds it. */
export interface StoredMatcher {
  name: string;
  operator: MatchOperator;
  value: string;
}

export interface SilenceRow {
  id: string;
  matchers: StoredMatcher[];
  starts_at: number;
  ends_at: number;
  created_by: string;
  comment: string;
  annotations: Labels;
  updated_at: number;
}

const millis = (column: string) => `round(extract(epoch FROM silences.${column}) * 1000)::float8 AS ${column}`;

export const SILENCE_COLUMNS = `silences.id, silences.matchers, ${millis('starts_at')}, ${millis('ends_at')},
  silences.created_by, silences.comment, silences.annotations, ${millis('updated_at')}`;

export function toSilence(row: SilenceRow): Silence {
  return {
    id: row.id,
    matchers: row.matchers.map(({ name, operator, value }) => new Matcher(name, operator, value)),
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    createdBy: row.created_by,
    comment: row.comment,
    annotations: row.annotations,
    updatedAt: row.updated_at,
  };
}

export function storedMatchers(matchers: readonly StoredMatcher[]): string {
  return JSON.stringify(matchers.map(({ name, operator, value }) => ({ name, operator, value })));
}
