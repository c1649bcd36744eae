/** A statement with a name: each connection prepares it once, which spares the planner on hot paths. */
export interface Statement {
  /** Unique for this text within the process. */
  name: string;
  text: string;
}

/**
 * An array parameter of a {@link Statement}, such as `$1::uuid[]`, whose length PostgreSQL does not see while it plans. A plan
 * for any length reckons with ten elements, and looks so much dearer than one for the two at hand that it plans anew each
 * time, which takes longer than to run a small statement.
 *
 * The plan that is kept was made when the table may have been empty. So this is for statements that can only read what the
 * array names, however they are planned.
 *
 * @example `SELECT … WHERE id = ANY(${ofAnyLength('$1::uuid[]')})`
 */
export function ofAnyLength(parameter: `$${number}::${string}[]`): string {
  return `(SELECT ${parameter})${parameter.slice(parameter.indexOf('::'))}`;
}

/** What runs SQL: the database itself, or a transaction of it. */
export interface Queryable {
  /**
   * Runs one statement and returns its rows; none for statements that return none. `bigint` and `numeric` columns come
   * as strings, as node-postgres gives them.
   * @throws an Error whose `code` is PostgreSQL's SQLSTATE; {@link DatabaseUnavailableError} when there is no connection
   */
  query<Row = Record<string, unknown>>(statement: string | Statement, parameters?: readonly unknown[]): Promise<Row[]>;
}
