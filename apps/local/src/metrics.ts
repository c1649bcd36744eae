/** `npm run metrics`: the metrics of all libraries, as a document. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { metricsCli } from 'eyrie/metrics';

// Whatever a library measures it defines as it is loaded.
for (const name of readdirSync(join(import.meta.dirname, '../../../libs'))) await import(`eyrie/${name}`);

process.exitCode = metricsCli(process.argv.slice(2));
