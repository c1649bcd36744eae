import { Injectable } from '@nestjs/common';
import { type Queryable, type Statement } from 'eyrie/database';
import { type Labels, labelValue, matchesAll } from '../config/index.js';
import { requiredLiteral } from './required-literal.js';
import { type Silence } from './silence.js';
import { SILENCE_COLUMNS, toSilence, type SilenceRow } from './silence-row.js';

interface Held extends Silence {
  readonly revision: number;
  /** Where it stands in the index. */
  readonly bucket: Set<Held>;
  /** What labels have to hold for its regular expressions to match. */
  readonly literals: readonly { readonly name: string; readonly literal: string }[];
  removed: boolean;
}

/** What is known of an alert. */
interface Known {
  found: Held[];
  /** How many of those that were added have been compared with it. */
  compared: number;
}

type ChangedRow = { latest: number; revision: number } & (SilenceRow | { id: null });

/** SQL for the revision that a statement sees, as {@link SilenceIndex.catchUp} takes it. */
export const LATEST_REVISION = '(SELECT revision::float8 FROM silences_revision WHERE singleton)';

/** What has changed since revision $1; for whoever knows nothing (-1), what has not expired. $2: now. */
const CHANGED: Statement = {
  name: 'silences:changed',
  text: `SELECT latest.revision::float8 AS latest, silences.revision::float8 AS revision, ${SILENCE_COLUMNS}
         FROM silences_revision latest
         LEFT JOIN silences ON silences.revision > $1 AND ($1 >= 0 OR silences.ends_at > to_timestamp($2))
         WHERE latest.singleton`,
};

const NOTHING = -1;
const MAX_REMEMBERED = 20_000;
/** Additions that have gone again, of which so many may stay in memory. */
const MAX_STALE = 1_000;
const SWEEP_MS = 60_000;

/**
 * The silences that have not expired, compiled and held in memory. Whoever asks {@link catchUp}s first: one statement that
 * brings what was changed since, usually nothing. So a silence holds for everything that begins after it was committed, and
 * no notice can be missed.
 *
 * A silence stands under one of its `name="value"` matchers, so that an alert is compared only with those that share a
 * label with it; those without one are compared with each alert once, and the answer is remembered.
 */
@Injectable()
export class SilenceIndex {
  private revision = NOTHING;
  private readonly held = new Map<string, Held>();
  private readonly byLabel = new Map<string, Set<Held>>();
  private readonly others = new Set<Held>();
  private readonly remembered = new Map<string, Known>();
  /** All that came in since `remembered` was begun, in their order. */
  private readonly added: Held[] = [];
  private sweptAt = 0;

  get size(): number {
    return this.held.size;
  }

  /** `latest`: the revision, where the caller's own statement has read it: usually it is the one that is known. */
  async catchUp(tx: Queryable, now: number, latest?: number): Promise<void> {
    if (latest !== this.revision) await this.read(tx, now);
    if (now - this.sweptAt >= SWEEP_MS) this.sweep(now);
  }

  private async read(tx: Queryable, now: number): Promise<void> {
    const known = this.revision;
    const rows = await tx.query<ChangedRow>(CHANGED, [known, now / 1000]);
    const latest = rows[0]!.latest;
    if (latest < known) {
      // Only a database that was restored from a backup goes back.
      this.forget();
      return this.read(tx, now);
    }
    for (const row of rows) if (row.id !== null) this.apply(row, now);
    this.revision = Math.max(this.revision, latest);
  }

  /** The ids of the silences that hold for this alert now. */
  silencing(alert: { fingerprint: string; labels: Labels }, now: number): string[] {
    if (this.held.size === 0) return [];
    const active = this.matching(alert).filter(({ startsAt, endsAt }) => startsAt <= now && now < endsAt);
    return active.map(({ id }) => id).sort();
  }

  /** All that match, also those whose time is not now. */
  private matching({ fingerprint, labels }: { fingerprint: string; labels: Labels }): readonly Held[] {
    let known = this.remembered.get(fingerprint);
    if (!known) {
      known = { found: this.search(labels), compared: this.added.length };
      if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
      this.remembered.set(fingerprint, known);
    }
    for (; known.compared < this.added.length; known.compared++) {
      const silence = this.added[known.compared]!;
      if (!silence.removed && matches(silence, labels)) known.found.push(silence);
    }
    if (known.found.some(({ removed }) => removed)) known.found = known.found.filter(({ removed }) => !removed);
    return known.found;
  }

  private search(labels: Labels): Held[] {
    const found: Held[] = [];
    const look = (bucket: Iterable<Held>) => {
      for (const silence of bucket) if (matches(silence, labels)) found.push(silence);
    };
    for (const name of Object.keys(labels)) look(this.byLabel.get(bucketKey(name, labelValue(labels, name))) ?? []);
    look(this.others);
    return found;
  }

  private apply(row: SilenceRow & { revision: number }, now: number): void {
    const before = this.held.get(row.id);
    if (before && before.revision >= row.revision) return;
    if (before) this.remove(before);
    if (row.ends_at <= now) return;
    const silence = toSilence(row);
    const held: Held = {
      ...silence,
      revision: row.revision,
      bucket: this.bucketFor(silence),
      literals: literalsOf(silence),
      removed: false,
    };
    held.bucket.add(held);
    this.held.set(held.id, held);
    this.added.push(held);
  }

  /** The emptiest one among those of its labels. */
  private bucketFor({ matchers }: Silence): Set<Held> {
    let best: Set<Held> | undefined;
    for (const { name, operator, value } of matchers) {
      if (operator !== '=' || value === '') continue;
      const key = bucketKey(name, value);
      let bucket = this.byLabel.get(key);
      if (!bucket) this.byLabel.set(key, (bucket = new Set()));
      if (!best || bucket.size < best.size) best = bucket;
    }
    return best ?? this.others;
  }

  private remove(silence: Held): void {
    silence.removed = true;
    silence.bucket.delete(silence);
    this.held.delete(silence.id);
  }

  private sweep(now: number): void {
    this.sweptAt = now;
    for (const silence of [...this.held.values()]) if (silence.endsAt <= now) this.remove(silence);
    for (const [key, bucket] of this.byLabel) if (bucket.size === 0) this.byLabel.delete(key);
    if (this.added.length > 2 * this.held.size + MAX_STALE) this.begin();
  }

  private forget(): void {
    this.revision = NOTHING;
    this.sweptAt = 0;
    for (const each of [this.held, this.byLabel, this.others]) each.clear();
    this.begin();
  }

  private begin(): void {
    this.remembered.clear();
    this.added.length = 0;
  }
}

function matches({ literals, matchers }: Held, labels: Labels): boolean {
  for (const { name, literal } of literals) if (!labelValue(labels, name).includes(literal)) return false;
  return matchesAll(matchers, labels);
}

function literalsOf({ matchers }: Silence) {
  const regular = matchers.filter(({ operator }) => operator === '=~');
  return regular.flatMap(({ name, value }) => {
    const literal = requiredLiteral(value);
    return literal === '' ? [] : [{ name, literal }];
  });
}

function bucketKey(name: string, value: string): string {
  return `${name}\u0000${value}`;
}
