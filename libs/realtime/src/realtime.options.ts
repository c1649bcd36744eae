import type { RealtimeSettings } from './realtime.config.js';

export interface RealtimeOptions extends RealtimeSettings {
  /** Origins whose pages may connect, beside the server's own; `*` for all. */
  corsOrigins: readonly string[];
}

export const REALTIME_OPTIONS = Symbol('REALTIME_OPTIONS');
