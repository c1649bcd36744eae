import { type DynamicModule, type FactoryProvider, Module } from '@nestjs/common';
import { EventFeed } from './event-feed.js';
import { EventWakes } from './event-wakes.js';
import { LiveEvents } from './live-events.js';
import { REALTIME_OPTIONS, type RealtimeOptions } from './realtime.options.js';

export interface RealtimeModuleOptions extends RealtimeOptions {
  /** Where the events come from; what it injects has to be global. */
  feed: Pick<FactoryProvider<EventFeed>, 'useFactory' | 'inject'>;
}

/** Live events on WebSockets: {@link LiveEvents} for a route that gives them out, {@link EventWakes} for whoever writes events. */
@Module({})
export class RealtimeModule {
  static forRoot({ feed, ...options }: RealtimeModuleOptions): DynamicModule {
    return {
      module: RealtimeModule,
      providers: [
        { provide: REALTIME_OPTIONS, useValue: options },
        { provide: EventFeed, ...feed },
        EventWakes,
        LiveEvents,
      ],
      exports: [EventWakes, LiveEvents],
    };
  }

  /** {@link EventWakes} alone, for a process that writes events and serves no WebSockets. */
  static forWriters(): DynamicModule {
    return { module: RealtimeModule, providers: [EventWakes], exports: [EventWakes] };
  }
}
