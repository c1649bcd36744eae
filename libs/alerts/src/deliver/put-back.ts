import { Injectable } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { Batcher } from './batcher.js';
import { PUT_BACK } from './statements.js';

/** A notification whose time has not come. */
export interface Postponed {
  readonly id: string;
  /** In milliseconds. */
  readonly until: number;
  /** It has had its turn under the rate of its integration. */
  readonly inTurn: boolean;
}

const MAX_BATCH = 200;

/** Puts notifications back into the queue without an attempt, those of concurrent jobs together. */
@Injectable()
export class PutBack {
  private readonly batcher = new Batcher<Postponed, void>((all) => this.write(all), MAX_BATCH);

  constructor(private readonly database: Database) {}

  /** Resolves when it is committed. */
  add(postponed: Postponed): Promise<void> {
    return this.batcher.add(postponed);
  }

  private async write(all: readonly Postponed[]): Promise<void[]> {
    await this.database.query(PUT_BACK, [
      all.map(({ id }) => id),
      all.map(({ until }) => until / 1000),
      all.map(({ inTurn }) => inTurn),
    ]);
    return all.map(() => undefined);
  }
}
