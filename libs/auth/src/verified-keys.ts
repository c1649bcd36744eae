import type { Caller } from './api-key.js';

interface Entry {
  caller: Caller | undefined;
  expiresAt: number;
}

export interface VerifiedKeysOptions {
  /** How long a good key is taken as good, and so how long a revoked one may still work. */
  goodForMs?: number;
  /** How long an unknown key is taken as unknown. */
  unknownForMs?: number;
  /** Of each of the two. */
  capacity?: number;
  now?: () => number;
}

/**
 * Remembers for a short time what keys turned out to be, by their hashes. Good and unknown ones are kept apart, so that a
 * flood of guesses pushes out no good key. At capacity the oldest goes.
 */
export class VerifiedKeys {
  private readonly good = new Map<string, Entry>();
  private readonly unknown = new Map<string, Entry>();
  private readonly goodForMs: number;
  private readonly unknownForMs: number;
  private readonly capacity: number;
  private readonly now: () => number;

  constructor({
    goodForMs = 10_000,
    unknownForMs = 2_000,
    capacity = 1_000,
    now = () => Date.now(),
  }: VerifiedKeysOptions = {}) {
    this.goodForMs = goodForMs;
    this.unknownForMs = unknownForMs;
    this.capacity = capacity;
    this.now = now;
  }

  /** The answer that is remembered; `undefined` if none is. */
  get(hash: string): { caller: Caller | undefined } | undefined {
    const entry = this.good.get(hash) ?? this.unknown.get(hash);
    return entry && entry.expiresAt > this.now() ? entry : undefined;
  }

  /** @param askedAt - when the answer was asked for: it is as old as the question. */
  set(hash: string, caller: Caller | undefined, askedAt: number): void {
    this.good.delete(hash);
    this.unknown.delete(hash);
    const answers = caller ? this.good : this.unknown;
    answers.set(hash, { caller, expiresAt: askedAt + (caller ? this.goodForMs : this.unknownForMs) });
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
