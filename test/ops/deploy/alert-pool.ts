import { ID_LABEL } from '../chaos/delivery.ts';
import type { AlertStatus, Outcome } from '../chaos/facts.ts';
import type { PostedAlert } from './facts.ts';

/** So many fire at once; each is resolved when that many younger ones are there. */
const FIRING = 60;

type Route = '/api/v1/alerts' | '/api/v2/alerts';

/** One post of one alert. */
export interface AlertPost {
  alert: PostedAlert;
  status: AlertStatus;
  path: Route;
  body: unknown;
}

/** The alerts of the run. An alert is lent out for a post and comes back with its outcome: its posts never overlap. */
export class AlertPool {
  readonly sent = new Map<string, PostedAlert>();
  readonly #firing: PostedAlert[] = [];
  readonly #startedAt = new Map<string, string>();

  fresh(): AlertPost {
    const alert: PostedAlert = { id: `load-${this.sent.size + 1}`, valid: true, posts: [] };
    this.sent.set(alert.id, alert);
    this.#startedAt.set(alert.id, new Date().toISOString());
    return this.#post(alert, 'firing');
  }

  /** One that fires, as Prometheus re-sends it; a fresh one where none is there. */
  repeat(): AlertPost {
    const alert = this.#firing.splice(Math.floor(this.#firing.length / 2), 1)[0];
    return alert ? this.#post(alert, 'firing') : this.fresh();
  }

  /** The end of the oldest, or a fresh one while few fire. */
  resolve(): AlertPost {
    return this.#firing.length > FIRING ? this.end()! : this.fresh();
  }

  /** The end of the oldest; undefined when none fires any more. */
  end(): AlertPost | undefined {
    const alert = this.#firing.shift();
    return alert && this.#post(alert, 'resolved');
  }

  settle({ alert, status }: AlertPost, outcome: Outcome, sentAt: number): void {
    alert.posts.push({ status, outcome, sentAt, at: Date.now() });
    // One whose outcome is open stays as it is, so that the judge can say what became of it.
    if (status === 'firing' && outcome === 'accepted') this.#firing.push(alert);
  }

  /** Each alert keeps to one route; a fingerprint is made of the labels that the route adds, too. */
  #post(alert: PostedAlert, status: AlertStatus): AlertPost {
    const startsAt = this.#startedAt.get(alert.id)!;
    const endsAt = new Date(Date.now() + (status === 'firing' ? 3_600_000 : -1)).toISOString();
    const labels = { [ID_LABEL]: alert.id };
    const even = Number(alert.id.slice('load-'.length)) % 2 === 0;
    if (even)
      return {
        alert,
        status,
        path: '/api/v1/alerts',
        body: { name: 'Load', severity: 'high', labels, startsAt, endsAt },
      };
    const body = [{ labels: { ...labels, alertname: 'Load', severity: 'high' }, annotations: {}, startsAt, endsAt }];
    return { alert, status, path: '/api/v2/alerts', body };
  }
}
