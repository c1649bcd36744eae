import type { EventFeed, LiveEvent } from './event-feed.js';

/** All ids up to one are final once these transactions have ended. */
interface Gap {
  upTo: number;
  writers: Set<string>;
}

export interface Step {
  events: LiveEvent[];
  /** `more`: ask again at once. `blocked`: somebody who has taken an earlier id has not ended. */
  state: 'end' | 'more' | 'blocked';
}

/**
 * Reads a feed in the order of its ids, without ever going past one that may still appear: transactions that took lower
 * ids may commit later. An id that is missing holds back what comes after it until all who were writing when it was found
 * missing have ended; then it is there, or never will be. Where no id is missing nobody is waited for.
 */
export class SettledEvents {
  private position = 0;
  private gap?: Gap;

  constructor(private readonly feed: EventFeed) {}

  /** All events up to this id are final, and were answered or lie before where reading began. */
  get head(): number {
    return this.position;
  }

  /** Moves to the end of the feed; false, and to be tried again, while an earlier id may still appear. */
  async seekEnd(): Promise<boolean> {
    const upTo = this.gap?.upTo ?? (await this.feed.last());
    if (!(await this.hasEnded(upTo))) return false;
    this.position = upTo;
    this.gap = undefined;
    return true;
  }

  /** The next events that are final. */
  async next(limit: number): Promise<Step> {
    const events = await this.feed.read({ after: this.position, limit });
    const last = events.at(-1)?.id;
    if (last === undefined) return { events, state: 'end' };
    const gapless = gaplessPart(events, this.position);
    if (gapless.length === events.length) return this.answer(events, events.length === limit ? 'more' : 'end');
    if (!(await this.hasEnded(last))) return this.answer(gapless, 'blocked');
    // What was missing may have become visible since: only now is it certain what there is.
    const { upTo } = this.gap!;
    this.gap = undefined;
    return this.answer(await this.feed.read({ after: this.position, upTo, limit }), 'more');
  }

  private answer(events: LiveEvent[], state: Step['state']): Step {
    this.position = events.at(-1)?.id ?? this.position;
    if (this.gap && this.gap.upTo <= this.position) this.gap = undefined;
    return { events, state };
  }

  /** Whether those have ended who may hold an id up to this one, or up to an earlier one that is already waited for. */
  private async hasEnded(upTo: number): Promise<boolean> {
    const writers = new Set(await this.feed.writers());
    this.gap = this.gap ? { ...this.gap, writers: this.gap.writers.intersection(writers) } : { upTo, writers };
    return this.gap.writers.size === 0;
  }
}

function gaplessPart(events: readonly LiveEvent[], after: number): LiveEvent[] {
  const gap = events.findIndex(({ id }, index) => id !== after + 1 + index);
  return gap === -1 ? [...events] : events.slice(0, gap);
}
