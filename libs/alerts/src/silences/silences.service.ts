import { Injectable } from '@nestjs/common';
import { Database, type Queryable } from 'eyrie/database';
import { currentOrigin } from 'eyrie/jobs';
import { Clock } from '../clock.js';
import { timeText } from '../dispatch/render.js';
import { silenceState, type Silence } from './silence.js';
import { checkSilence, type SilenceRequest } from './silence-request.js';
import { SILENCE_COLUMNS, storedMatchers, toSilence, type SilenceRow } from './silence-row.js';

/** Who changes silences, and from where. */
export interface SilenceActor {
  readonly name: string;
  readonly client?: { readonly address: string; readonly userAgent: string } | undefined;
}

export class SilenceNotFound extends Error {
  constructor() {
    super('silence not found');
  }
}

type Change = 'created' | 'updated' | 'expired';

const NEXT_REVISION = `UPDATE silences_revision SET revision = revision + 1 WHERE singleton RETURNING revision::text`;
const FIND = `SELECT ${SILENCE_COLUMNS} FROM silences WHERE id = $1`;
const INSERT = `
  INSERT INTO silences (matchers, starts_at, ends_at, created_by, comment, annotations, updated_at, revision)
  VALUES ($1, to_timestamp($2), to_timestamp($3), $4, $5, $6, to_timestamp($7), $8)
  RETURNING ${SILENCE_COLUMNS}`;
const UPDATE = `
  UPDATE silences SET matchers = $1, starts_at = to_timestamp($2), ends_at = to_timestamp($3), created_by = $4,
    comment = $5, annotations = $6, updated_at = to_timestamp($7), revision = $8
  WHERE id = $9 RETURNING ${SILENCE_COLUMNS}`;
const RECORD = `
  INSERT INTO silence_events (silence_id, type, at, actor, address, user_agent, request_id, data)
  VALUES ($1, $2, to_timestamp($3), $4, $5, $6, $7, $8)`;

/** Makes, changes and ends silences, as Alertmanager does. What is answered is committed, and holds from then on. */
@Injectable()
export class SilencesService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes a silence; with the id of an earlier one it changes that, or, where that would change what was silenced up to now
   * (other matchers, another start once it has begun, or the silence is over), ends it and makes a new one.
   * @throws InvalidSilence, SilenceNotFound
   * @example const { id } = await silences.set({ matchers, endsAt, createdBy: 'ann', comment: 'moving racks' }, actor);
   */
  async set(request: SilenceRequest, actor: SilenceActor): Promise<Silence> {
    const now = this.clock.now();
    checkSilence(request, now);
    const wanted = { ...request, startsAt: request.startsAt ?? now };
    return this.change(now, actor, async (change) => {
      if (request.id === undefined || request.id === '') return change.create(wanted);
      const before = await change.find(request.id);
      if (canChange(before, wanted, now)) return change.update(before, wanted, 'updated');
      const after = await change.create({ ...wanted, replaces: before.id });
      if (silenceState(before, now) !== 'expired') await change.end(before, { replacedBy: after.id });
      return after;
    });
  }

  /** Ends a silence; one that is over stays as it is. @throws SilenceNotFound */
  async expire(id: string, actor: SilenceActor): Promise<Silence> {
    const now = this.clock.now();
    return this.change(now, actor, async (change) => {
      const before = await change.find(id);
      return silenceState(before, now) === 'expired' ? before : change.end(before, {});
    });
  }

  private change<T>(now: number, actor: SilenceActor, work: (change: SilenceChange) => Promise<T>): Promise<T> {
    return this.database.transaction(async (tx) => {
      // The lock on this row, until the commit, also keeps two changes of one silence apart.
      const [row] = await tx.query<{ revision: string }>(NEXT_REVISION);
      return work(new SilenceChange(tx, now, actor, row!.revision));
    });
  }
}

type Wanted = SilenceRequest & { readonly startsAt: number; readonly replaces?: string };

/** One change of silences, in its transaction. */
class SilenceChange {
  constructor(
    private readonly tx: Queryable,
    private readonly now: number,
    private readonly actor: SilenceActor,
    private readonly revision: string,
  ) {}

  async find(id: string): Promise<Silence> {
    const [row] = UUID.test(id) ? await this.tx.query<SilenceRow>(FIND, [id]) : [];
    if (!row) throw new SilenceNotFound();
    return toSilence(row);
  }

  async create({ replaces, ...wanted }: Wanted): Promise<Silence> {
    const startsAt = Math.max(wanted.startsAt, this.now);
    const [row] = await this.tx.query<SilenceRow>(INSERT, this.columns({ ...wanted, startsAt }));
    return this.record('created', toSilence(row!), replaces ? { replaces } : {});
  }

  async update(before: Silence, wanted: Wanted, type: Change, data: object = {}): Promise<Silence> {
    const [row] = await this.tx.query<SilenceRow>(UPDATE, [...this.columns(wanted), before.id]);
    return this.record(type, toSilence(row!), { ...data, before: contentOf(before) });
  }

  /** Now; one that has not begun never does. */
  end(before: Silence, data: object): Promise<Silence> {
    const startsAt = Math.min(before.startsAt, this.now);
    return this.update(before, { ...before, startsAt, endsAt: this.now }, 'expired', data);
  }

  private columns({ matchers, startsAt, endsAt, createdBy, comment, annotations = {} }: Wanted): unknown[] {
    const times = [startsAt / 1000, endsAt / 1000];
    const texts = [createdBy, comment, JSON.stringify(annotations)];
    return [storedMatchers(matchers), ...times, ...texts, this.now / 1000, this.revision];
  }

  private async record(type: Change, silence: Silence, data: object): Promise<Silence> {
    const { name, client } = this.actor;
    const from = [client?.address ?? null, client?.userAgent ?? null, currentOrigin()?.requestId ?? null];
    const details = JSON.stringify({ ...contentOf(silence), ...data });
    await this.tx.query(RECORD, [silence.id, type, this.now / 1000, name, ...from, details]);
    return silence;
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a silence may become another one without a word about the past becoming untrue: Alertmanager's `canUpdate`. */
function canChange(before: Silence, wanted: Wanted, now: number): boolean {
  if (storedMatchers(before.matchers) !== storedMatchers(wanted.matchers)) return false;
  const seconds = (time: number) => Math.floor(time / 1000);
  switch (silenceState(before, now)) {
    case 'active':
      return seconds(before.startsAt) === seconds(wanted.startsAt);
    case 'pending':
      return wanted.startsAt >= now;
    case 'expired':
      return false;
  }
}

function contentOf(silence: Silence) {
  return {
    matchers: silence.matchers.map(String),
    startsAt: timeText(silence.startsAt / 1000),
    endsAt: timeText(silence.endsAt / 1000),
    createdBy: silence.createdBy,
    comment: silence.comment,
    ...(Object.keys(silence.annotations).length > 0 && { annotations: silence.annotations }),
  };
}
