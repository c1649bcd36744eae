import { setTimeout as sleep } from 'node:timers/promises';
import { ID_LABEL } from './delivery.ts';
import type { Story } from './people-facts.ts';
import { Random } from './random.ts';

const PERSONS = 6;
const ASK_LIMIT_MS = 5_000;
/** People press the button again. */
const PAUSE_MS = 300;
/** What cannot be done within it is let be: the story ends there. */
const PATIENCE_MS = 30_000;
/** Escalated alerts are told to the next when nobody has acknowledged for so long. */
export const ESCALATION_MS = 6_000;
/** An acknowledgement that came so long before counts. */
const IN_TIME_MS = 1_500;
/** How a heartbeat beats, and when it counts as missing. */
const PERIOD = { period: '1s', grace: '1s' };
const WELL = { period: '1h', grace: '1h' };
const MISSING_AFTER_MS = 2_500;

export interface PeopleOptions {
  apis: readonly string[];
  ingestKey: string;
  operatorKey: string;
  seed: number;
  /** Whether somebody was told that this fires. */
  isTold: (id: string) => boolean;
}

interface Request {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  key: 'ingest' | 'operator';
  body?: unknown;
}

/** People who silence, acknowledge, or do not, while things break; and machines whose heartbeats stay away. */
export class People {
  readonly stories: Story[] = [];
  readonly refusals: string[] = [];
  readonly #options: PeopleOptions;
  #stopped = false;

  constructor(options: PeopleOptions) {
    this.#options = options;
  }

  /** Goes on until stop(); `round` keeps the names of alerts apart. */
  async run(round: number): Promise<void> {
    this.#stopped = false;
    await Promise.all(Array.from({ length: PERSONS }, (_, number) => this.#person(`p${round}-${number}`)));
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Looks up what the histories have of each acknowledgement. */
  async readHistories(): Promise<void> {
    for (const story of this.stories) {
      if (!story.acknowledgedInTime) continue;
      const random = new Random(0, story.id);
      const alert = await this.#find(story, random);
      const { events } = await this.#ask<{ events: { type: string }[] }>(story, random, {
        method: 'GET',
        path: `/api/v1/alerts/${alert}`,
        key: 'operator',
      });
      story.recorded = events.filter(({ type }) => type === 'acknowledged').length;
    }
  }

  async #person(name: string): Promise<void> {
    const random = new Random(this.#options.seed, `person ${name}`);
    for (let number = 0; !this.#stopped; number++) {
      const tell = random.pick([this.#silence, this.#page, this.#page, this.#beat]);
      await tell.call(this, `${name}-${number}`, random).catch((error: unknown) => {
        if (!(error instanceof OutOfPatience)) this.refusals.push((error as Error).message);
      });
      await sleep(random.between(50, 500));
    }
  }

  #begin(id: string, kind: Story['kind']): Story {
    const story: Story = { id, kind, uncertain: false };
    this.stories.push(story);
    return story;
  }

  /** Silences what does not fire yet, then it fires; half of the silences are taken back. */
  async #silence(id: string, random: Random): Promise<void> {
    const story = this.#begin(id, 'silenced');
    const { silenceID } = await this.#ask<{ silenceID: string }>(story, random, {
      method: 'POST',
      path: '/api/v2/silences',
      key: 'operator',
      body: {
        matchers: [{ name: ID_LABEL, value: id, isRegex: false, isEqual: true }],
        startsAt: new Date(),
        endsAt: new Date(Date.now() + 3_600_000),
        createdBy: 'chaos',
        comment: 'known',
      },
    });
    // One whose answer was lost may be there twice, and could only be taken back once.
    const perhapsTwice = story.uncertain;
    await this.#raise(story, random);
    if (perhapsTwice || random.chance(0.5)) return;
    await sleep(random.between(500, 2_500));
    story.unsilencedAt = Date.now();
    await this.#ask(story, random, { method: 'DELETE', path: `/api/v2/silence/${silenceID}`, key: 'operator' });
    story.unsilenced = true;
  }

  /** An alert that is escalated unless somebody acknowledges it, as half of the people do. */
  async #page(id: string, random: Random): Promise<void> {
    const story = this.#begin(id, 'paged');
    const due = Date.now() + ESCALATION_MS;
    await this.#raise(story, random);
    if (random.chance(0.5)) return;
    // From now on it may have been acknowledged, whatever the answers say.
    story.acknowledgedInTime = false;
    const alert = await this.#find(story, random);
    await this.#ask(story, random, {
      method: 'POST',
      path: `/api/v1/alerts/${alert}/acknowledge`,
      key: 'operator',
      body: {},
    });
    story.acknowledgedInTime = Date.now() < due - IN_TIME_MS;
  }

  /** Beats once and stays away; half of them are well again, when somebody was told. */
  async #beat(id: string, random: Random): Promise<void> {
    const story = this.#begin(id, 'heartbeat');
    const path = `/api/v1/heartbeats/${id}`;
    await this.#ask(story, random, { method: 'POST', path, key: 'ingest', body: PERIOD });
    await sleep(MISSING_AFTER_MS);
    story.raisedAt = Date.now();
    if (random.chance(0.5)) return;
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.#options.isTold(id) && Date.now() < deadline) await sleep(PAUSE_MS);
    // What was never told need not be taken back.
    if (!this.#options.isTold(id)) return;
    await this.#ask(story, random, { method: 'PUT', path, key: 'operator', body: WELL });
    story.well = true;
  }

  async #raise(story: Story, random: Random): Promise<void> {
    await this.#ask(story, random, {
      method: 'POST',
      path: '/api/v2/alerts',
      key: 'ingest',
      body: [
        {
          labels: { alertname: 'People', kind: story.kind, [ID_LABEL]: story.id },
          endsAt: new Date(Date.now() + 3_600_000),
        },
      ],
    });
    story.raisedAt = Date.now();
  }

  /** The id that the hub has given to the alert. */
  async #find(story: Story, random: Random): Promise<string> {
    const filter = encodeURIComponent(`${ID_LABEL}="${story.id}"`);
    const path = `/api/v1/alerts?filter=${filter}`;
    const { alerts } = await this.#ask<{ alerts: { id: string }[] }>(story, random, {
      method: 'GET',
      path,
      key: 'operator',
    });
    if (!alerts[0]) throw new Error(`${story.id} was accepted, and is not listed`);
    return alerts[0].id;
  }

  /** Asks until it is answered with 2xx. @throws OutOfPatience */
  async #ask<Answer>(story: Story, random: Random, { method, path, key, body }: Request): Promise<Answer> {
    const token = key === 'ingest' ? this.#options.ingestKey : this.#options.operatorKey;
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(PAUSE_MS)) {
      const answer = await fetch(random.pick(this.#options.apis) + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ASK_LIMIT_MS),
      })
        .then(async (response) => ({ status: response.status, text: await response.text() }))
        .catch(() => undefined);
      if (answer && answer.status < 300) return (answer.text === '' ? undefined : JSON.parse(answer.text)) as Answer;
      if (answer && answer.status < 500 && answer.status !== 429)
        throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
      if (method !== 'GET') story.uncertain = true;
    }
    throw new OutOfPatience();
  }
}

/** Everything was down for too long: the story ends where it is. */
class OutOfPatience extends Error {}
