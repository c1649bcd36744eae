/**
 * What one alert, and one request, may hold. Far above anything that Prometheus sends, far below what would hurt.
 */
export const limits = {
  alertsPerRequest: 10_000,
  labels: 128,
  annotations: 128,
  /** Characters. */
  nameLength: 256,
  labelValueLength: 4_096,
  /** It stands in an index, whose rows PostgreSQL limits to 2,704 bytes. */
  alertnameLength: 512,
  annotationLength: 65_536,
  urlLength: 8_192,
  /** A sender whose clock is further off than this is told so, instead of an alert that fires for a year. */
  startAheadMs: 24 * 3_600_000,
  endAheadMs: 366 * 86_400_000,
  endBehindMs: 31 * 86_400_000,
} as const;
