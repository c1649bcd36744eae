/** A request that waits. */
export interface Waiting {
  admit(): void;
  refuse(): void;
  /** Its client has gone away. */
  isGone(): boolean;
}

export interface AdmissionOptions {
  /** Who has waited longer, in ms, is to be refused. */
  limitMs: number;
  /** Whether the event loop is so late that whoever waits is to be refused. */
  isLate: () => boolean;
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
}

/** In one turn of the event loop requests get so much time, and then all else has a look in. */
const sliceMs = 20;
/** The most that are looked at in a turn. */
const mostInTurn = 64;

/**
 * Lets requests in as fast as they can be served, a slice of time in each turn of the event loop. The rest wait in line.
 * When the first in line has waited too long, there are more than can be served: then half of the time goes to refusing
 * from the front, and half to serving from the back, whose clients have waited least and are there still.
 *
 * Without slices a turn would last as long as all connections take together on which something has come. Node accepts
 * one new connection in a turn, so a probe on a new connection would wait for minutes. And without a share for serving,
 * as soon as refusing everybody takes longer than the limit, nobody would ever be served again.
 */
export class AdmissionQueue {
  private readonly now: () => number;
  private line: (Waiting & { since: number })[] = [];
  private head = 0;
  /** Immediates that have not run yet. */
  private scheduled = 0;
  /** When this turn's slice began. */
  private began?: number;
  /** What this slice was spent on, in ms, and what the time since `at` will have been spent on. */
  private readonly spent = { admit: 0, refuse: 0 };
  private last: { on: 'admit' | 'refuse'; at: number } | undefined;

  constructor(private readonly options: AdmissionOptions) {
    this.now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.line.length - this.head;
  }

  /** Whether a request may pass at once; else it has to {@link wait}. */
  mayPass(): boolean {
    return this.size === 0 && this.hasTime() && !this.options.isLate();
  }

  wait(request: Waiting): void {
    this.line.push({ ...request, since: this.now() });
    this.schedule();
  }

  private hasTime(): boolean {
    const now = this.now();
    if (this.began !== undefined) return now - this.began < sliceMs;
    this.began = now;
    setImmediate(() => {
      this.began = undefined;
      this.last = undefined;
      this.spent.admit = this.spent.refuse = 0;
    });
    return true;
  }

  /** An immediate for each: between two of them all that a handler does without waiting is done, and counts. */
  private schedule(): void {
    if (this.scheduled > 0) return;
    this.scheduled = Math.min(this.size, mostInTurn);
    for (let count = 0; count < this.scheduled; count += 1) setImmediate(() => this.step());
  }

  private step(): void {
    this.scheduled -= 1;
    const now = this.now();
    if (this.last) this.spent[this.last.on] += now - this.last.at;
    this.last = undefined;
    const first = this.line[this.head];
    if (first && this.hasTime()) {
      const isTooMuch = this.options.isLate() || now - first.since > this.options.limitMs;
      const on = isTooMuch && this.spent.refuse <= this.spent.admit ? 'refuse' : 'admit';
      const request = this.take(isTooMuch && on === 'admit' ? 'back' : 'front');
      this.last = { on, at: now };
      if (request && !request.isGone()) request[on]();
    }
    this.schedule();
  }

  private take(end: 'front' | 'back'): Waiting | undefined {
    const request = end === 'back' ? this.line.pop() : this.line[this.head++];
    // Now and then what is gone from the front is let go of: each time would move all the others.
    if (this.head >= 1_024 || this.head === this.line.length) {
      this.line = this.line.slice(this.head);
      this.head = 0;
    }
    return request;
  }
}
