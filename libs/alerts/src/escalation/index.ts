export { EscalationPass } from './escalation-pass.js';
export { EscalationSweep } from './escalation-sweep.js';
export {
  Escalations,
  type Escalation,
  type EscalationStep,
  loadEscalations,
  parseEscalations,
} from './escalations-config.js';
export { Escalator } from './escalator.js';
export { Notices } from './notices.js';
