// Every answer is right, but lists take their time.
import { setTimeout as sleep } from 'node:timers/promises';
import { AlertsReader } from 'eyrie/alerts';

const page = AlertsReader.prototype.page;
AlertsReader.prototype.page = async function (...args) {
  await sleep(1_500);
  return page.apply(this, args);
};
