import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../chaos/random.ts';
import { type AlertPost, AlertPool } from './alert-pool.ts';
import { type Access, type Answer, type Ask, Client } from './client.ts';
import type { Failure, RequestKind } from './facts.ts';
import type { Journal } from './journal.ts';

const TICK_MS = 10;
/** Beyond this a request is not sent any more, and has failed: the product does not keep up. */
const MOST_UNDER_WAY = 3_000;

interface Sent {
  kind: RequestKind;
  ask: Ask;
  expected: number;
}

/**
 * Requests at a steady rate, whatever the answers take: a request that is due is sent, and its latency counts from then.
 * Seven in ten read; of the rest most raise, repeat and resolve alerts, and some comment.
 */
export class Load {
  readonly pool = new AlertPool();
  readonly #access: Access;
  readonly #journal: Journal;
  readonly #client: Client;
  readonly #random: Random;
  #timer: NodeJS.Timeout | undefined;
  #underWay = 0;
  /** Alerts that the API has listed last. */
  #known: string[] = [];

  constructor(access: Access, journal: Journal, { seed = 1 } = {}) {
    this.#access = access;
    this.#journal = journal;
    this.#client = new Client(access);
    this.#random = new Random(seed, 'load');
  }

  start(perSecond: number): void {
    const startedAt = performance.now();
    let due = 0;
    this.#timer = setInterval(() => {
      const wanted = ((performance.now() - startedAt) / 1_000) * perSecond;
      for (; due < wanted; due++) void this.#one();
    }, TICK_MS);
  }

  /** Sends no more, waits for what is under way, then ends every alert that still fires. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#settled();
    for (let post = this.pool.end(); post; post = this.pool.end()) await this.#postAlert(post);
    await this.#settled();
    this.#client.close();
  }

  async #settled(): Promise<void> {
    while (this.#underWay > 0) await sleep(TICK_MS);
  }

  async #one(): Promise<void> {
    const action = this.#random.next();
    if (action < 0.7) await this.#read();
    else if (action < 0.81) await this.#postAlert(this.pool.fresh());
    else if (action < 0.87) await this.#postAlert(this.pool.repeat());
    else if (action < 0.98) await this.#postAlert(this.pool.resolve());
    else await this.#comment();
  }

  async #read(): Promise<void> {
    const id = this.#aKnownOne();
    const path = this.#random.pick([
      '/api/v1/alerts?limit=20',
      '/api/v1/alerts?limit=20',
      '/api/v1/alerts/summary',
      '/api/v2/alerts?filter=severity%3D%22high%22',
      '/health/live',
      ...(id ? [`/api/v1/alerts/${id}`, `/api/v1/alerts/${id}`] : []),
    ]);
    const ask: Ask = { method: 'GET', path, key: this.#access.operatorKey };
    const answer = await this.#send({ kind: 'read', ask, expected: 200 });
    if (answer?.status === 200 && path.startsWith('/api/v1/alerts?')) {
      this.#known = (JSON.parse(answer.body) as { alerts: { id: string }[] }).alerts.map((alert) => alert.id);
    }
  }

  async #comment(): Promise<void> {
    const id = this.#aKnownOne();
    if (!id) return this.#read();
    const ask: Ask = {
      method: 'POST',
      path: `/api/v1/alerts/${id}/comment`,
      key: this.#access.operatorKey,
      body: { text: 'It is being looked at.' },
    };
    await this.#send({ kind: 'comment', ask, expected: 200 });
  }

  async #postAlert(post: AlertPost): Promise<void> {
    const sentAt = Date.now();
    const ask: Ask = { method: 'POST', path: post.path, key: this.#access.ingestKey, body: post.body };
    const answer = await this.#send({ kind: 'ingest', ask, expected: post.path === '/api/v1/alerts' ? 202 : 200 });
    const status = answer?.status ?? 0;
    const refused = status >= 400 && status < 500;
    this.pool.settle(post, status >= 200 && status < 300 ? 'accepted' : refused ? 'refused' : 'unknown', sentAt);
  }

  #aKnownOne(): string | undefined {
    return this.#known.length > 0 ? this.#random.pick(this.#known) : undefined;
  }

  /** The answer; undefined where none came. What is not the expected status is noted as a failure. */
  async #send({ kind, ask, expected }: Sent): Promise<Answer | undefined> {
    const phase = this.#journal.current;
    const [sentAt, began] = [Date.now(), performance.now()];
    let answer: Answer | undefined;
    let fault = '';
    this.#underWay++;
    try {
      if (this.#underWay > MOST_UNDER_WAY) throw new Error(`not sent, ${MOST_UNDER_WAY} others are under way`);
      answer = await this.#client.send(ask);
      if (answer.status !== expected) fault = `${answer.status} ${answer.body.slice(0, 200)}`;
    } catch (error) {
      fault = error instanceof Error ? [(error as NodeJS.ErrnoException).code, error.message].join(' ') : String(error);
    } finally {
      this.#underWay--;
    }
    const failure: Failure | undefined = fault
      ? { kind, what: `${ask.method} ${ask.path}: ${fault.trim()}`, sentAt, endedAt: Date.now() }
      : undefined;
    this.#journal.note(phase, performance.now() - began, failure);
    return answer;
  }
}
