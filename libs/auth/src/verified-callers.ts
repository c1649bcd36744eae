import type { Caller } from './caller.js';

interface Entry<C> {
  caller: C | undefined;
  expiresAt: number;
}

export interface VerifiedCallersOptions {
  /** How long a good credential is taken as good, and so how long a revoked one may still work. */
  goodForMs?: number;
  /** How long an unknown credential is taken as unknown. */
  unknownForMs?: number;
  /** Of each of the two. */
  capacity?: number;
  now?: () => number;
}

/**
 * Remembers for a short time whose credentials turned out to be, by their hashes. Good and unknown ones are kept apart, so
 * that a flood of guesses pushes out no good one. At capacity the oldest goes.
 */
export class VerifiedCallers<C extends Caller = Caller> {
  private readonly good = new Map<string, Entry<C>>();
  private readonly unknown = new Map<string, Entry<C>>();
  private readonly goodForMs: number;
  private readonly unknownForMs: number;
  private readonly capacity: number;
  private readonly now: () => number;

  constructor({
    goodForMs = 10_000,
    unknownForMs = 2_000,
    capacity = 1_000,
    now = () => Date.now(),
  }: VerifiedCallersOptions = {}) {
    this.goodForMs = goodForMs;
    this.unknownForMs = unknownForMs;
    this.capacity = capacity;
    this.now = now;
  }

  /** The answer that is remembered; `undefined` if none is. */
  get(hash: string): { caller: C | undefined } | undefined {
    const entry = this.good.get(hash) ?? this.unknown.get(hash);
    return entry && entry.expiresAt > this.now() ? entry : undefined;
  }

  /**
   * @param askedAt - when the answer was asked for: it is as old as the question
   * @param validForMs - how long from then on the credential is good by itself
   */
  set(hash: string, caller: C | undefined, askedAt: number, validForMs = Infinity): void {
    this.good.delete(hash);
    this.unknown.delete(hash);
    const answers = caller ? this.good : this.unknown;
    const rememberedMs = caller ? Math.min(this.goodForMs, validForMs) : this.unknownForMs;
    answers.set(hash, { caller, expiresAt: askedAt + rememberedMs });
    const [oldest] = answers.keys();
    if (answers.size > this.capacity && oldest !== undefined) answers.delete(oldest);
  }

  clear(): void {
    this.good.clear();
    this.unknown.clear();
  }

  get size(): number {
    return this.good.size + this.unknown.size;
  }
}
