import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Lifecycle } from 'eyrie/lifecycle';
import { Clock } from '../clock.js';
import { EscalationPass } from './escalation-pass.js';
import { EscalationSweep } from './escalation-sweep.js';
import { PassLoop } from './pass-loop.js';

const SWEEP_EVERY_MS = 1_000;
/** With very many alerts sweeps come less often: they take a twentieth of the time at the most. */
const SWEEP_SHARE = 20;

/** Takes escalation steps as they fall due, until the application stops. Any number of workers may run one. */
@Injectable()
export class Escalator implements OnApplicationBootstrap {
  private readonly loop = new PassLoop('Escalator', () => this.round());
  private sweepAt = 0;

  constructor(
    private readonly sweep: EscalationSweep,
    private readonly pass: EscalationPass,
    private readonly clock: Clock,
    private readonly lifecycle: Lifecycle,
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start();
    this.lifecycle.onStop('escalator', () => this.loop.stop());
  }

  private async round(): Promise<number> {
    const started = performance.now();
    if (started >= this.sweepAt) {
      await this.sweep.run();
      const ended = performance.now();
      this.sweepAt = ended + Math.max(SWEEP_EVERY_MS, (ended - started) * SWEEP_SHARE);
    }
    while ((await this.pass.run()) > 0);
    const due = await this.pass.nextDue();
    const untilSweep = Math.max(this.sweepAt - performance.now(), 0);
    return due === undefined ? untilSweep : Math.min(due - this.clock.now(), untilSweep);
  }
}
