// Health is fine, and every list of alerts is a 500.
import { AlertsReader } from 'eyrie/alerts';

AlertsReader.prototype.page = () => Promise.reject(new TypeError('broken: alerts cannot be read'));
