import { Alerts1700000000001 } from './1700000000001-alerts.js';

/** The hub's tables, oldest first. */
export const alertsMigrations = [Alerts1700000000001];
