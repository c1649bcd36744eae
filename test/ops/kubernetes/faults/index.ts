import { faultsOfConnections } from './connections.ts';
import type { Fault } from './plant.ts';
import { faultsOfPods } from './pods.ts';

/** Faults to plant into sound manifests: each has to be found, by the rule that is there for it. */
export const faults: readonly Fault[] = [...faultsOfPods, ...faultsOfConnections];
