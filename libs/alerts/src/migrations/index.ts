import { Alerts1700000000001 } from './1700000000001-alerts.js';
import { Origins1700000000002 } from './1700000000002-origins.js';
import { Silences1700000000020 } from './1700000000020-silences.js';
import { PeopleAndHeartbeats1700000000030 } from './1700000000030-people-and-heartbeats.js';
import { ReceiverHealth1700000000040 } from './1700000000040-receiver-health.js';
import { NextInLine1700000000050 } from './1700000000050-next-in-line.js';

/** The hub's tables, oldest first. */
export const alertsMigrations = [
  Alerts1700000000001,
  Origins1700000000002,
  Silences1700000000020,
  PeopleAndHeartbeats1700000000030,
  ReceiverHealth1700000000040,
  NextInLine1700000000050,
];
