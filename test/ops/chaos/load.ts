import { setTimeout as sleep } from 'node:timers/promises';
import type { AlertStatus, Outcome, SentAlert } from './facts.ts';
import { Random } from './random.ts';
import { ID_LABEL } from './delivery.ts';

const SENDERS = 8;
/** Prometheus gives up on a POST after ten seconds. */
const POST_LIMIT_MS = 10_000;
/** Long enough for a commit whose answer was lost to have happened or not, before the alert is sent again. */
const UNKNOWN_PAUSE_MS = 1_000;

export interface LoadOptions {
  apis: readonly string[];
  ingestKey: string;
  seed: number;
  /** Whether the receiver has had this alert as firing. */
  isTold: (id: string) => boolean;
}

/** Senders that post, re-send and resolve alerts as fast as they are answered, with short pauses, until stopped. */
export class Load {
  readonly sent = new Map<string, SentAlert>();
  readonly statuses: Record<string, number> = {};
  readonly #options: LoadOptions;
  #stopped = false;
  #posting: ((api: number) => void) | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Runs the senders until stop(); `round` keeps the names of alerts apart. */
  async run(round: number): Promise<void> {
    this.#stopped = false;
    await Promise.all(Array.from({ length: SENDERS }, (_, number) => this.#send(`${round}-${number}`)));
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Resolves with the number of the next API that is posted to, right after the request has left. */
  nextPost(): Promise<number> {
    return new Promise((resolve) => (this.#posting = resolve));
  }

  /** One sender: sequential, so that the posts of an alert never overlap. */
  async #send(name: string): Promise<void> {
    const random = new Random(this.#options.seed, `sender ${name}`);
    const own: SentAlert[] = [];
    for (let number = 0; !this.#stopped; number += 100) {
      const fresh = (count: number, valid = true) =>
        Array.from({ length: count }, (_, index) => this.#newAlert(`${name}-${number + index}`, valid));
      const action = random.next();
      if (action < 0.4) own.push(...(await this.#post(fresh(1), 'firing', random)));
      else if (action < 0.6) own.push(...(await this.#post(fresh(random.between(2, 20)), 'firing', random)));
      else if (action < 0.7) await this.#post(fresh(random.between(1, 3), false), 'firing', random);
      else if (action < 0.85) await this.#postAgain(own, 'firing', random);
      else await this.#postAgain(own, 'resolved', random);
      await sleep(random.between(10, 120));
    }
  }

  #newAlert(id: string, valid: boolean): SentAlert {
    const alert: SentAlert = { id, valid, posts: [] };
    this.sent.set(id, alert);
    return alert;
  }

  /** Re-sends or resolves one alert that fires as far as the sender knows. Half of the resolutions wait to be told. */
  async #postAgain(own: SentAlert[], status: AlertStatus, random: Random): Promise<void> {
    const unresolved = own.filter(
      ({ posts }) => !posts.some((post) => post.status === 'resolved' && post.outcome === 'accepted'),
    );
    const settled = unresolved.filter(({ posts }) => {
      const last = posts.at(-1);
      return !last || last.outcome !== 'unknown' || last.at + UNKNOWN_PAUSE_MS < Date.now();
    });
    // A sender that has begun to resolve an alert does not let it fire again.
    const eligible = settled.filter(
      ({ posts }) => status === 'resolved' || posts.every((post) => post.status === 'firing'),
    );
    if (eligible.length === 0) return;
    const alert = random.pick(eligible.slice(-30));
    const patient = random.chance(0.5);
    if (status === 'resolved' && patient && !this.#options.isTold(alert.id)) return;
    await this.#post([alert], status, random);
  }

  /** Posts and records the outcome. Returns the alerts, for the sender to go on with. */
  async #post(alerts: SentAlert[], status: AlertStatus, random: Random): Promise<SentAlert[]> {
    const api = random.between(0, this.#options.apis.length - 1);
    const request = bodyOf(alerts, status, random);
    const answer = fetch(`${this.#options.apis[api]}/api/v2/alerts`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(request.authorized && { authorization: `Bearer ${this.#options.ingestKey}` }),
      },
      body: request.text,
      signal: AbortSignal.timeout(POST_LIMIT_MS),
    });
    this.#posting?.(api);
    this.#posting = undefined;
    const code = await answer.then(
      async (response) => (await response.arrayBuffer(), response.status),
      () => 0,
    );
    this.#count(code);
    const outcome = outcomeOf(code);
    for (const alert of alerts) alert.posts.push({ status, outcome, at: Date.now() });
    return alerts;
  }

  #count(code: number): void {
    const key = code === 0 ? 'connection died' : String(code);
    this.statuses[key] = (this.statuses[key] ?? 0) + 1;
  }
}

function outcomeOf(code: number): Outcome {
  if (code >= 200 && code < 300) return 'accepted';
  return code >= 400 && code < 500 ? 'refused' : 'unknown';
}

/** The start stays the same for all posts of an alert, as Prometheus keeps it. */
const STARTED = new Date(Date.now() - 1_000);

function bodyOf(alerts: SentAlert[], status: AlertStatus, random: Random): { text: string; authorized: boolean } {
  const endsAt = new Date(Date.now() + (status === 'firing' ? 3_600_000 : -1)).toISOString();
  const bodies = alerts.map(({ id }) => ({
    labels: { alertname: 'Chaos', severity: 'high', [ID_LABEL]: id },
    annotations: { summary: 'Raised while things break' },
    startsAt: STARTED.toISOString(),
    endsAt,
    generatorURL: 'http://prometheus.example.com/graph',
  }));
  const text = JSON.stringify(bodies);
  if (alerts.every(({ valid }) => valid)) return { text, authorized: true };
  return random.pick([
    { text, authorized: false },
    { text: text.slice(0, -1), authorized: true },
    {
      text: JSON.stringify(bodies.map((body) => ({ ...body, labels: { ...body.labels, alertname: 7 } }))),
      authorized: true,
    },
    { text: JSON.stringify(bodies.map((body) => ({ ...body, startsAt: 'yesterday' }))), authorized: true },
    {
      text: JSON.stringify(bodies.map((body) => ({ ...body, labels: { ...body.labels, nul: '\u0000' } }))),
      authorized: true,
    },
  ]);
}
