import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { EventWakes } from 'eyrie/realtime';
import type { FastifyInstance } from 'fastify';

/** Takes every request that may have changed something for one that has: looking for events in vain costs next to nothing. */
@Injectable()
export class AnnounceWrites implements OnModuleInit {
  constructor(
    private readonly adapters: HttpAdapterHost,
    private readonly wakes: EventWakes,
  ) {}

  onModuleInit(): void {
    this.adapters.httpAdapter.getInstance<FastifyInstance>().addHook('onResponse', (request, reply, done) => {
      if (request.method !== 'GET' && reply.statusCode < 300) this.wakes.announce();
      done();
    });
  }
}
