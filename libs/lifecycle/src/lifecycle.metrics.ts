import { gauge } from 'eyrie/metrics';

/** The states a process passes, in this order. */
export const lifecycleStates = ['starting', 'ready', 'draining', 'stopped'] as const;

export const lifecycleState = gauge({
  name: 'lifecycle_state',
  help: 'Processes in each state of their life: starting, ready, draining, stopped.',
  labels: ['state'],
});
