import type { LifecycleSettings } from 'eyrie/lifecycle';
import type { ServerSettings } from '../server.config.js';

/** What `runProcesses` runs. */
export interface ProcessesSpec {
  /** The name in log lines. */
  name: string;
  settings: Pick<
    ServerSettings,
    | 'concurrency'
    | 'memoryPerProcess'
    | 'maxRequests'
    | 'maxRequestsJitter'
    | 'startTimeoutMs'
    | 'crashLimit'
    | 'crashWindowMs'
  >;
  lifecycle: LifecycleSettings;
  /** Loads and runs the app, in each process. The primary never calls it, so what is imported here it never holds. */
  run: () => Promise<void>;
  /** Runs in the primary before the first process is forked. What it returns runs when the last one is gone. */
  onPrimary?: () => PrimaryEnd | void | Promise<PrimaryEnd | void>;
}

export type PrimaryEnd = () => void | Promise<void>;
