import { Injectable } from '@nestjs/common';
import { Cache } from 'eyrie/cache';
import { Database } from 'eyrie/database';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { Clock } from '../clock.js';
import { type Integration } from '../config/index.js';
import { timeText } from '../dispatch/render.js';
import { COUNTS, HEALTH } from './statements.js';

export const circuitStates = ['closed', 'half-open', 'open'] as const;
/** `open`: left alone, because it failed again and again; `half-open`: one notification may try whether it is back. */
export type CircuitState = (typeof circuitStates)[number];

/** How one way out of a receiver fares. Times are RFC 3339. */
export interface IntegrationView {
  /** `team-x/webhook/0`. */
  integration: string;
  type: Integration['type'];
  /** Host and port; all else of a URL may be secret. */
  target: string;
  circuit: CircuitState;
  openUntil: string | null;
  /** To a second. */
  lastSuccessAt: string | null;
  lastErrorAt: string | null;
  lastError: string | null;
  consecutiveFailures: number;
  /** At most five seconds old. In flight are those of the pending that a worker has in hand. */
  notifications: Record<'inFlight' | 'pending' | 'waiting' | 'dead', number>;
}

export interface ReceiverView {
  name: string;
  integrations: IntegrationView[];
}

interface HealthRow {
  integration: string;
  failures: number;
  last_error: string | null;
  last_success_at: number | null;
  last_error_at: number | null;
  open_until: number | null;
  probing: boolean;
}

interface CountsRow {
  integration: string;
  in_flight: number;
  pending: number;
  waiting: number;
  dead: number;
}

const FRESH_MS = 5_000;

/** Answers whom the configuration knows, and how they fare. */
@Injectable()
export class ReceiversReader {
  constructor(
    private readonly database: Database,
    private readonly configs: AlertsConfigStore,
    private readonly cache: Cache,
    private readonly clock: Clock,
  ) {}

  /** The receivers in the order of the file. */
  async list(): Promise<ReceiverView[]> {
    const [health, counts] = await Promise.all([
      this.database.query<HealthRow>(HEALTH),
      this.cache.getOrLoad('receiver-counts', 'all', { ttlMs: FRESH_MS }, () => this.database.query<CountsRow>(COUNTS)),
    ]);
    const healthOf = new Map(health.map((row) => [row.integration, row]));
    const countsOf = Map.groupBy(counts, ({ integration }) => integration);
    return [...this.configs.config.receivers.values()].map(({ name, integrations }) => ({
      name,
      integrations: integrations.map((one) => this.view(one, healthOf.get(one.key), countsOf.get(one.key))),
    }));
  }

  private view(integration: Integration, health: HealthRow | undefined, counts: CountsRow[] = []): IntegrationView {
    const time = (seconds: number | null = null) => (seconds === null ? null : timeText(seconds));
    const sum = (name: 'in_flight' | 'pending' | 'waiting' | 'dead') =>
      counts.reduce((total, row) => total + row[name], 0);
    return {
      integration: integration.key,
      type: integration.type,
      target: targetOf(integration),
      circuit: circuitState(health, this.clock.now()),
      openUntil: time(health?.open_until),
      lastSuccessAt: time(health?.last_success_at),
      lastErrorAt: time(health?.last_error_at),
      lastError: health?.last_error ?? null,
      consecutiveFailures: health?.failures ?? 0,
      notifications: {
        inFlight: sum('in_flight'),
        pending: sum('pending'),
        waiting: sum('waiting'),
        dead: sum('dead'),
      },
    };
  }
}

function circuitState(health: HealthRow | undefined, now: number): CircuitState {
  if (!health || health.open_until === null) return 'closed';
  return health.probing || health.open_until * 1000 <= now ? 'half-open' : 'open';
}

function targetOf(integration: Integration): string {
  if (integration.type !== 'email') return new URL(integration.url.reveal()).host;
  const { host, port } = integration.smarthost;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
