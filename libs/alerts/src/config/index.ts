export { formatDuration, parseDuration } from './duration.js';
export { AlertsConfigError, type AlertsConfigFault, formatFault } from './fault.js';
export { type InhibitRule, inhibits } from './inhibit.js';
export type {
  EmailIntegration,
  HttpSettings,
  Integration,
  PagerdutyIntegration,
  Receiver,
  SlackIntegration,
  TlsSettings,
  WebhookIntegration,
} from './integration.js';
export { type Fingerprint, fingerprint, fingerprintValue, type Labels, labelsToString, labelValue } from './labels.js';
export { type AlertsConfig, changeSecrets, loadAlertsConfig, parseAlertsConfig, RECEIVER_SECRETS } from './load.js';
export { Matcher, matchesAll, type MatchOperator, matchersToString } from './matcher.js';
export { parseMatchers } from './matcher-parser.js';
export { groupKey, groupLabels, isRouteMuted, matchRoutes, type Route, ROUTE_DEFAULTS, walkRoutes } from './route.js';
export { Secret, SECRET_TOKEN } from './secret.js';
export type { Template } from './template.js';
export { containsTime, isMuted, type TimeInterval } from './time-interval.js';
