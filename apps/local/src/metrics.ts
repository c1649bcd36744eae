/** `npm run metrics`: the metrics of all libraries, as a document. */
import 'eyrie/alerts';
import 'eyrie/auth';
import 'eyrie/cache';
import 'eyrie/database';
import 'eyrie/health';
import 'eyrie/jobs';
import 'eyrie/lifecycle';
import 'eyrie/server';
import { metricsCli } from 'eyrie/metrics';

process.exitCode = metricsCli(process.argv.slice(2));
