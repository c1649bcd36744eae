import { type Delivery } from '../notify/index.js';

/** What an attempt shows of the receiver. Times in milliseconds. */
export interface ObservedAttempt {
  readonly integration: string;
  readonly at: number;
  readonly durationMs: number;
  readonly delivery: Delivery;
  /** Our own shutdown ended it: it says nothing of the receiver. */
  readonly cutOff: boolean;
  /** It was to find out whether the receiver is back. */
  readonly probe: boolean;
}

/** What a batch of attempts says of one integration. */
export interface HealthUpdate {
  readonly integration: string;
  /** Faults that may pass, since it last gave another answer. */
  readonly failures: number;
  /** It took a notification or refused one for good: it is there. */
  readonly answered: boolean;
  readonly successAt?: number | undefined;
  readonly errorAt?: number | undefined;
  readonly error?: string | undefined;
  /** The fault is that of the one that tried whether it is back. */
  readonly probed: boolean;
}

/** Sums up attempts in the order in which they ended. Those that our own shutdown cut off say nothing. */
export function healthUpdates(attempts: readonly ObservedAttempt[]): HealthUpdate[] {
  const updates = new Map<string, HealthUpdate>();
  for (const { integration, delivery, at, durationMs, cutOff, probe } of attempts) {
    if (cutOff) continue;
    const before = updates.get(integration) ?? { integration, failures: 0, answered: false, probed: false };
    const endedAt = at + durationMs;
    if (delivery.outcome === 'delivered') {
      updates.set(integration, { ...before, failures: 0, answered: true, probed: false, successAt: endedAt });
    } else {
      const fault = { ...before, errorAt: endedAt, error: delivery.error };
      updates.set(
        integration,
        delivery.outcome === 'final'
          ? { ...fault, failures: 0, answered: true, probed: false }
          : { ...fault, failures: before.failures + 1, probed: before.probed || probe },
      );
    }
  }
  return [...updates.values()];
}
