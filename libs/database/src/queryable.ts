/** A statement with a name: each connection prepares it once, which spares the planner on hot paths. */
export interface Statement {
  /** Unique for this text within the process. */
  name: string;
  text: string;
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
