import { Injectable } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { Clock } from '../clock.js';
import { type Matcher } from '../config/index.js';
import { timeText } from '../dispatch/render.js';
import { silenceState, type Silence, type SilenceState } from './silence.js';
import { SILENCE_COLUMNS, storedMatchers, toSilence, type SilenceRow } from './silence-row.js';

export interface SilenceFilter {
  state?: SilenceState | undefined;
  /** Only silences that have each of these among their own matchers, word for word. */
  matchers?: readonly Matcher[];
  /** Only silences that were made before the one with this id. */
  before?: string | undefined;
  limit: number;
}

/** An entry of a silence's history. */
export interface SilenceEventView {
  id: string;
  type: string;
  at: string;
  actor: string;
  address: string | null;
  userAgent: string | null;
  requestId: string | null;
  data: Record<string, unknown>;
}

const STATES: Readonly<Record<SilenceState, string>> = {
  pending: `starts_at > to_timestamp($1) AND ends_at > to_timestamp($1)`,
  active: `starts_at <= to_timestamp($1) AND ends_at > to_timestamp($1)`,
  expired: `ends_at <= to_timestamp($1)`,
};
const ORDER: readonly SilenceState[] = ['active', 'pending', 'expired'];

/** Answers questions about silences. */
@Injectable()
export class SilencesReader {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  stateOf(silence: Silence): SilenceState {
    return silenceState(silence, this.clock.now());
  }

  /** A page of silences, the latest made first. */
  async page({ state, matchers = [], before, limit }: SilenceFilter): Promise<{ silences: Silence[]; next?: string }> {
    const rows = await this.database.query<SilenceRow>(
      `SELECT ${SILENCE_COLUMNS} FROM silences
       WHERE ${state ? STATES[state] : '$1::float8 > 0'} AND matchers @> $2 AND ($3::uuid IS NULL OR id < $3)
       ORDER BY id DESC LIMIT $4`,
      [this.clock.now() / 1000, storedMatchers(matchers), before ?? null, limit + 1],
    );
    const silences = rows.slice(0, limit).map(toSilence);
    return rows.length > limit ? { silences, next: silences.at(-1)!.id } : { silences };
  }

  /**
   * All silences that have not been over for longer than `expiredForMs`, in Alertmanager's order: active ones by their end,
   * pending ones by their start, then the expired ones, the last to end first.
   */
  async all(matchers: readonly Matcher[], expiredForMs: number): Promise<Silence[]> {
    const now = this.clock.now();
    const rows = await this.database.query<SilenceRow>(
      `SELECT ${SILENCE_COLUMNS} FROM silences WHERE ends_at > to_timestamp($1) AND matchers @> $2 ORDER BY id`,
      [(now - expiredForMs) / 1000, storedMatchers(matchers)],
    );
    const byState = Map.groupBy(rows.map(toSilence), (silence) => silenceState(silence, now));
    byState.get('active')?.sort((one, other) => one.endsAt - other.endsAt);
    byState.get('pending')?.sort((one, other) => one.startsAt - other.startsAt);
    byState.get('expired')?.sort((one, other) => other.endsAt - one.endsAt);
    return ORDER.flatMap((state) => byState.get(state) ?? []);
  }

  async byId(id: string): Promise<Silence | undefined> {
    const [row] = await this.database.query<SilenceRow>(`SELECT ${SILENCE_COLUMNS} FROM silences WHERE id = $1`, [id]);
    return row && toSilence(row);
  }

  /** Who did what to a silence, the earliest first. */
  async events(silenceId: string, limit = 500): Promise<SilenceEventView[]> {
    const rows = await this.database.query<Omit<SilenceEventView, 'at'> & { at: number }>(
      `SELECT id::text, type, extract(epoch FROM at)::float8 AS at, actor, address, user_agent AS "userAgent",
         request_id AS "requestId", data
       FROM silence_events WHERE silence_id = $1 ORDER BY silence_events.id LIMIT $2`,
      [silenceId, limit],
    );
    return rows.map((row) => ({ ...row, at: timeText(row.at) }));
  }
}
