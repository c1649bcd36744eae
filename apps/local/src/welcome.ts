import { relative } from 'node:path';

export interface Welcome {
  apiPort: number;
  workerPort: number;
  receiverPort: number;
  /** Host, port and name, without the password. */
  database: string;
  /** The folder of the embedded database, undefined when the database is the user's own. */
  dataFolder: string | undefined;
  alertsConfig: string;
  keysFile: string;
  /** Undefined for keys that the user has set: those are not shown. */
  ingestKey: string | undefined;
  operatorKey: string | undefined;
}

/** What a newcomer needs once everything runs. */
export function welcome(found: Welcome): string {
  const api = `http://localhost:${found.apiPort}`;
  const path = (file: string) => shorter(relative('.', file), file);
  const places = {
    api: `${api}  (documentation: ${api}/docs)`,
    worker: `http://localhost:${found.workerPort}/health/ready`,
    receiver: `http://localhost:${found.receiverPort}  (shows here what is delivered)`,
    database: `${found.database}${found.dataFolder ? `  (embedded; data in ${path(found.dataFolder)})` : ''}`,
    routing: path(found.alertsConfig),
    keys: path(found.keysFile),
  };
  return [
    '',
    'Eyrie is running.',
    '',
    ...Object.entries(places).map(([name, place]) => `  ${name.padEnd(10)}${place}`),
    '',
    'Raise an alert:',
    '',
    `  curl -X POST ${api}/api/v1/alerts \\`,
    `    -H "Authorization: Bearer ${found.ingestKey ?? '$INGEST_KEY'}" -H 'Content-Type: application/json' \\`,
    `    -d '{"name": "DiskAlmostFull", "severity": "high", "message": "db-1 has 4 % left", "labels": {"instance": "db-1"}}'`,
    '',
    'Read the alerts:',
    '',
    `  curl -H "Authorization: Bearer ${found.operatorKey ?? '$OPERATOR_KEY'}" ${api}/api/v1/alerts`,
    '',
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}

function shorter(one: string, other: string): string {
  return one.length < other.length ? one : other;
}
