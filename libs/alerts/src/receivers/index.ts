export { ReceiverMetrics } from './receiver-metrics.js';
export { ReceiverTests, type TestResult } from './receiver-tests.js';
export {
  type CircuitState,
  circuitStates,
  type IntegrationView,
  ReceiversReader,
  type ReceiverView,
} from './receivers-reader.js';
export { TestReceiverHandler } from './test-receiver.handler.js';
export { testReceiver } from './test-receiver.task.js';
