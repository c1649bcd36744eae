import type { Failure, Phase } from './facts.ts';

/** Every request of the run by the phase in which it was begun. */
export class Journal {
  readonly phases: Phase[] = [];

  get current(): Phase {
    return this.phases.at(-1) ?? this.begin('start');
  }

  begin(name: string): Phase {
    const now = Date.now();
    const before = this.phases.at(-1);
    if (before) before.endedAt = now;
    const phase: Phase = { name, startedAt: now, endedAt: now, latenciesMs: [], failures: [] };
    this.phases.push(phase);
    return phase;
  }

  /** To be called with the phase that was current when the request was due. */
  note(phase: Phase, latencyMs: number, failure?: Failure): void {
    phase.latenciesMs.push(latencyMs);
    if (failure) phase.failures.push(failure);
  }

  end(): void {
    this.current.endedAt = Date.now();
  }
}
