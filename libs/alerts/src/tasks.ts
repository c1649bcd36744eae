import { type CronEntry } from 'eyrie/jobs';
import { deliverNotification } from './deliver/deliver-notification.task.js';
import { testReceiver } from './receivers/test-receiver.task.js';
import { pruneHistory } from './retention/retention.task.js';
import { pruneSilences } from './silences/index.js';

/** What a worker of the hub has to take, and what the clock calls for. */
export const alertsTasks = [deliverNotification, testReceiver, pruneHistory, pruneSilences];
export const alertsCron: CronEntry[] = [
  { task: pruneHistory, match: '42 * * * *' },
  { task: pruneSilences, match: '47 * * * *' },
];
