import { Controller, Get, Inject, Param } from '@nestjs/common';
import type { Queryable } from 'eyrie/database';

/** The token of whatever runs the SQL: a pool by itself, or eyrie/database. */
export const DATABASE = Symbol('DATABASE');

/** The two routes of both sides: one that does nothing, and one that reads a row by its key. */
export class RowsController {
  private readonly database: Queryable;

  constructor(database: Queryable) {
    this.database = database;
  }

  trivial(): { ok: true } {
    return { ok: true };
  }

  async row(id: string): Promise<unknown> {
    const statement = { name: 'bench:row', text: 'SELECT id, name, amount FROM bench_rows WHERE id = $1' };
    const [row] = await this.database.query(statement, [Number(id)]);
    return row;
  }
}

// Decorators by hand: Node runs this file as it is, and strips types only.
const { prototype } = RowsController;
Inject(DATABASE)(RowsController, undefined, 0);
Get('trivial')(prototype, 'trivial', Object.getOwnPropertyDescriptor(prototype, 'trivial')!);
Get('rows/:id')(prototype, 'row', Object.getOwnPropertyDescriptor(prototype, 'row')!);
Param('id')(prototype, 'row', 0);
Controller('bench')(RowsController);
