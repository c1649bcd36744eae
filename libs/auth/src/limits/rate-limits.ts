import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { Problem } from 'eyrie/server';
import { AUTH_OPTIONS, type AuthOptions } from '../auth.options.js';
import type { RateLimit, Spent } from './gcra.js';
import { MemoryLimiter, SHARED_LIMITER, type SharedLimiter } from './limiter.js';
import type { RateLimitClass } from './rate-limit.decorator.js';

/** An answer, as far as limits are concerned. */
interface Reply {
  header(name: string, value: string): unknown;
}

/** Refusals that are remembered; beyond it the oldest are asked for again. */
const mostRefusals = 10_000;

/**
 * How often a client may come, by class of route. Shared between processes where there is a {@link SharedLimiter}; while
 * it fails each process counts for itself, which lets through more rather than less.
 */
@Injectable()
export class RateLimits {
  private readonly logger = new Logger(RateLimits.name);
  private readonly local = new MemoryLimiter();
  private readonly limits: Readonly<Record<RateLimitClass, RateLimit | undefined>>;
  /** Until when a client was refused: asking again before that would be the same answer at a greater price. */
  private readonly refusedUntil = new Map<string, number>();
  private isShared = true;

  constructor(
    @Inject(AUTH_OPTIONS) { apiLimit, loginLimit, ingestLimit }: AuthOptions,
    @Optional() @Inject(SHARED_LIMITER) private readonly shared?: SharedLimiter,
  ) {
    this.limits = { api: apiLimit, login: loginLimit, ingest: ingestLimit };
  }

  /**
   * Counts one request of a client and tells it, in the headers of the answer, what is left (RateLimit and
   * RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers-10).
   * @throws Problem 429 with Retry-After
   */
  async charge(reply: Reply, limitClass: RateLimitClass, client: string): Promise<void> {
    const limit = this.limits[limitClass];
    if (!limit) return;
    const spent = await this.spend(`${limitClass}:${client}`, limit);
    const { perSecond, burst } = limit;
    reply.header('ratelimit-policy', `"${limitClass}";q=${burst};w=${Math.ceil(burst / perSecond)}`);
    reply.header('ratelimit', `"${limitClass}";r=${spent.remaining};t=${Math.ceil(spent.resetMs / 1_000)}`);
    if (spent.isAllowed) return;
    throw new Problem(429, 'too-many-requests', 'Too many requests', {
      detail: `At most ${perSecond} a second are served here, and ${burst} at once.`,
      headers: { 'Retry-After': String(Math.max(1, Math.ceil(spent.retryAfterMs / 1_000))) },
    });
  }

  private async spend(key: string, limit: RateLimit): Promise<Spent> {
    if (!this.shared) return this.local.spendNow(key, limit);
    const refused = this.stillRefused(key, limit);
    if (refused) return refused;
    try {
      const spent = await this.shared.spend(key, limit);
      this.tell(true);
      if (!spent.isAllowed) this.remember(key, spent);
      return spent;
    } catch (error) {
      this.tell(false, error);
      return this.local.spendNow(key, limit);
    }
  }

  private stillRefused(key: string, { perSecond, burst }: RateLimit): Spent | undefined {
    const retryAfterMs = (this.refusedUntil.get(key) ?? 0) - performance.now();
    if (retryAfterMs <= 0) {
      this.refusedUntil.delete(key);
      return undefined;
    }
    const resetMs = retryAfterMs + ((burst - 1) * 1_000) / perSecond;
    return { isAllowed: false, remaining: 0, retryAfterMs, resetMs };
  }

  private remember(key: string, { retryAfterMs }: Spent): void {
    this.refusedUntil.set(key, performance.now() + retryAfterMs);
    const [oldest] = this.refusedUntil.keys();
    if (this.refusedUntil.size > mostRefusals && oldest !== undefined) this.refusedUntil.delete(oldest);
  }

  /** Once at each change, not at each request. */
  private tell(isShared: boolean, error?: unknown): void {
    if (isShared === this.isShared) return;
    this.isShared = isShared;
    if (isShared) this.logger.log('Rate limits are shared between processes again');
    else this.logger.warn(`Rate limits hold for each process alone for now: ${String(error)}`);
  }
}
