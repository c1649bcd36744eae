/**
 * `eyrie/server/processes`: what an app's main needs before it loads anything else. Nothing here imports the server
 * itself, so that a primary, which only supervises, stays small.
 */
export type { PrimaryEnd, ProcessesSpec } from './cluster/processes-spec.js';
export { runProcesses } from './cluster/run-processes.js';
export { serverSettings, type ServerSettings } from './server.config.js';
