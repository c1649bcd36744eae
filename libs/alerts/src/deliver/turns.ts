import { Inject, Injectable } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { ALERTS_OPTIONS, type AlertsOptions } from '../alerts.config.js';
import { Clock } from '../clock.js';
import { type NotifyRate, rateOf } from '../notify/index.js';
import { Batcher } from './batcher.js';
import { TAKE_TURNS } from './statements.js';

interface Wanted {
  readonly integration: string;
  readonly rate: NotifyRate;
}

const MAX_BATCH = 200;

/** Hands out turns under the rate limits, which all workers share; concurrent jobs ask for theirs together. */
@Injectable()
export class Turns {
  private readonly batcher = new Batcher<Wanted, number>((wanted) => this.take(wanted), MAX_BATCH);

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(ALERTS_OPTIONS) private readonly options: Pick<AlertsOptions, 'notify'>,
  ) {}

  /** When the next notification may go to this integration, in milliseconds; `undefined` if at once. The turn is taken. */
  async next(receiver: string, integration: string): Promise<number | undefined> {
    const rate = rateOf(this.options.notify.rateLimits, receiver);
    if (!rate) return undefined;
    const turn = await this.batcher.add({ integration, rate });
    return turn > this.clock.now() ? turn : undefined;
  }

  private async take(wanted: readonly Wanted[]): Promise<number[]> {
    const lines = [...Map.groupBy(wanted, ({ integration }) => integration)];
    const rates = lines.map(([, all]) => all[0]!.rate);
    const rows = await this.database.query<{ integration: string; next_turn: number }>(TAKE_TURNS, [
      lines.map(([integration]) => integration),
      lines.map(([, all]) => all.length),
      rates.map(({ intervalMs }) => intervalMs / 1000),
      rates.map(({ burst }) => burst),
      this.clock.now() / 1000,
    ]);
    const following = new Map(rows.map((row) => [row.integration, row.next_turn * 1000]));
    // What follows all of them, less theirs, is the turn of the first.
    for (const [integration, all] of lines) {
      following.set(integration, following.get(integration)! - all.length * all[0]!.rate.intervalMs);
    }
    return wanted.map(({ integration, rate }) => {
      const turn = following.get(integration)!;
      following.set(integration, turn + rate.intervalMs);
      return Math.round(turn);
    });
  }
}
