import { Injectable, type OnModuleInit } from '@nestjs/common';
import { EventWrites } from 'eyrie/alerts';
import { EventWakes } from 'eyrie/realtime';

/** Lets those who follow the events of alerts know of each commit at once, here and in the other processes. */
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
