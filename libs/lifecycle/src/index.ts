export { lifecycleSettings, type LifecycleSettings } from './lifecycle.config.js';
export { Lifecycle, type LifecycleState, type StopOptions, type StopResult } from './lifecycle.js';
export { LifecycleModule, LIFECYCLE_SETTINGS } from './lifecycle.module.js';
export { retryUntil, type RetryOptions } from './retry-until.js';
export { runApp, type AppSpec, takeSignalsFrom } from './run-app.js';
export { TimeLimitError, withTimeLimit } from './time-limit.js';
