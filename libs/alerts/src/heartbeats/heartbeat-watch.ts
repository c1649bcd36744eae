import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Lifecycle } from 'eyrie/lifecycle';
import { Clock } from '../clock.js';
import { PassLoop } from '../escalation/pass-loop.js';
import { HeartbeatPass } from './heartbeat-pass.js';

const LOOK_EVERY_MS = 1_000;

/** Looks for heartbeats that are due, until the application stops. Any number of workers may run one. */
@Injectable()
export class HeartbeatWatch implements OnApplicationBootstrap {
  private readonly loop = new PassLoop('HeartbeatWatch', () => this.round());

  constructor(
    private readonly pass: HeartbeatPass,
    private readonly clock: Clock,
    private readonly lifecycle: Lifecycle,
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start();
    this.lifecycle.onStop('heartbeat watch', () => this.loop.stop());
  }

  private async round(): Promise<number> {
    while ((await this.pass.run()) > 0);
    const due = await this.pass.nextDue();
    return due === undefined ? LOOK_EVERY_MS : due - this.clock.now();
  }
}
