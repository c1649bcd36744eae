import { type CronEntry } from 'eyrie/jobs';
import { deliverNotification } from './deliver/deliver-notification.task.js';
import { pruneHistory } from './retention/retention.task.js';

/** What a worker of the hub has to take, and what the clock calls for. */
export const alertsTasks = [deliverNotification, pruneHistory];
export const alertsCron: CronEntry[] = [{ task: pruneHistory, match: '42 * * * *' }];
