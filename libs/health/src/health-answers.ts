import { Injectable } from '@nestjs/common';
import type { CheckedHealth, HealthGroup, HealthStatus } from './health-check.js';
import { HealthRegistry, type HealthReport, type ProcessState } from './health-registry.js';

/** A whole answer, ready to be sent. */
export interface HealthAnswer {
  code: 200 | 503;
  /** JSON. */
  body: string;
}

/** An answer at once where one is prepared, which costs next to nothing, else as soon as the checks are through. */
export type Answering = HealthAnswer | Promise<HealthAnswer>;

const answerOf = (code: HealthAnswer['code'], body: unknown): HealthAnswer => ({ code, body: JSON.stringify(body) });
const codeFor = (status: HealthStatus) => (status === 'unhealthy' ? 503 : 200);

const notServing: Readonly<Record<Exclude<ProcessState, 'ready'>, HealthAnswer>> = {
  starting: answerOf(503, { status: 'starting', checks: {} }),
  draining: answerOf(503, { status: 'draining', checks: {} }),
  stopped: answerOf(503, { status: 'stopped', checks: {} }),
};
const started = answerOf(200, { status: 'started' });

/** The answers of the health endpoints, each prepared as text until a newer result comes or its results are too old. */
@Injectable()
export class HealthAnswers {
  private readonly prepared = {
    live: this.prepare('live', () => this.liveness()),
    ready: this.prepare('ready', () => reportAnswer(this.registry.report('ready'))),
    startup: this.prepare('startup', () => this.startUp()),
    summary: this.prepare('detailed', () => reportAnswer(this.registry.report('detailed'))),
    detailed: this.prepare('detailed', () => this.details()),
  };
  private hasStarted = false;

  constructor(private readonly registry: HealthRegistry) {}

  /** 200 as long as the process answers at all, and its own checks, if it has such, agree. */
  live(): Answering {
    return this.prepared.live();
  }

  /** 200 if requests are welcome: the process is ready and no critical check fails. */
  ready(): Answering {
    const refusal = this.refusal();
    if (refusal) return refusal;
    const answer = this.prepared.ready();
    // Draining may begin while the checks run.
    return answer instanceof Promise ? answer.then((ready) => this.refusal() ?? ready) : answer;
  }

  /** 200 once start-up is complete, and ever after. */
  startup(): Answering {
    if (this.hasStarted) return started;
    return this.registry.processState === 'starting' ? notServing.starting : this.prepared.startup();
  }

  /** All checks, by name and state. */
  summary(): Answering {
    return this.prepared.summary();
  }

  /** All checks with durations, times, details and errors. */
  detailed(): Answering {
    return this.prepared.detailed();
  }

  private refusal(): HealthAnswer | undefined {
    const state = this.registry.processState;
    return state === 'ready' ? undefined : notServing[state];
  }

  private liveness(): HealthAnswer {
    const { status, checks } = this.registry.report('live');
    return answerOf(codeFor(status), Object.keys(checks).length > 0 ? { status, checks } : { status });
  }

  private startUp(): HealthAnswer {
    const report = this.registry.report('startup');
    this.hasStarted = report.status !== 'unhealthy';
    return this.hasStarted ? started : reportAnswer(report);
  }

  private details(): HealthAnswer {
    const { status } = this.registry.report('detailed');
    const checks = Object.fromEntries(
      this.registry.results().map((checked) => [checked.definition.name, told(checked)]),
    );
    return answerOf(codeFor(status), { status, checks });
  }

  private prepare(group: HealthGroup, make: () => HealthAnswer): () => Answering {
    let answer: HealthAnswer | undefined;
    let version = -1;
    let validUntil = -Infinity;
    const current = () =>
      answer && version === this.registry.version && performance.now() < validUntil ? answer : undefined;
    const remake = () => {
      version = this.registry.version;
      validUntil = this.registry.freshUntil(group);
      return (answer = make());
    };
    return () => current() ?? this.registry.refresh(group).then(() => current() ?? remake());
  }
}

function reportAnswer(report: HealthReport): HealthAnswer {
  return answerOf(codeFor(report.status), report);
}

function told({ definition: { critical }, result }: CheckedHealth): object {
  const { status, durationMs, checkedAt, since, details, error } = result;
  return { status, critical, durationMs: Math.round(durationMs * 10) / 10, checkedAt, since, details, error };
}
