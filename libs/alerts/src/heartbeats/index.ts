export {
  type BeatRequest,
  beatRequest,
  heartbeatName,
  type HeartbeatRequest,
  heartbeatRequest,
  heartbeatStates,
  type HeartbeatView,
} from './heartbeat.js';
export { HeartbeatPass } from './heartbeat-pass.js';
export { HeartbeatWatch } from './heartbeat-watch.js';
export { HeartbeatsService, TooManyHeartbeats } from './heartbeats.service.js';
export { Watchdogs } from './watchdogs.js';
