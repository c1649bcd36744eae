import { Injectable, type OnModuleInit } from '@nestjs/common';
import { EventWrites } from 'eyrie/alerts';
import { EventWakes } from 'eyrie/realtime';

/** What the worker writes (ends, escalations, missed heartbeats) is live in the apis at once, by way of Redis. */
@Injectable()
export class AnnounceWrites implements OnModuleInit {
  constructor(
    private readonly writes: EventWrites,
    private readonly wakes: EventWakes,
  ) {}

  onModuleInit(): void {
    this.writes.onCommit(() => this.wakes.announce());
  }
}
