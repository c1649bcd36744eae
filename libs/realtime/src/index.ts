export { EventFeed, type EventFilter, type EventRange, type LiveEvent } from './event-feed.js';
export { EventWakes } from './event-wakes.js';
export { type Guest, LiveEvents } from './live-events.js';
export type { ControlMessage } from './protocol.js';
export { realtimeSettings, type RealtimeSettings } from './realtime.config.js';
export { RealtimeModule, type RealtimeModuleOptions } from './realtime.module.js';
export type { RealtimeOptions } from './realtime.options.js';
