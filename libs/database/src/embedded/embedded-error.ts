/** What kept the embedded database from serving. */
export type EmbeddedDatabaseFault =
  | 'unsupported-platform'
  | 'missing-package'
  | 'no-space'
  | 'no-permission'
  | 'other-version'
  | 'port'
  | 'busy'
  | 'failed';

/** The embedded database cannot be had; `message` is a sentence for the person who started the program. */
export class EmbeddedDatabaseError extends Error {
  override readonly name = 'EmbeddedDatabaseError';

  constructor(
    readonly fault: EmbeddedDatabaseFault,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** PostgreSQL's log lines and Node's error codes, and the fault that each of them means. */
const signs: readonly (readonly [RegExp, EmbeddedDatabaseFault])[] = [
  [/shared memory/i, 'failed'],
  [/ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/i, 'no-space'],
  [/database files are incompatible with server/i, 'other-version'],
  [/could not bind|Address already in use|could not create any TCP\/IP sockets|EADDRINUSE|EADDRNOTAVAIL/i, 'port'],
  [
    /EACCES|EPERM|EROFS|Permission denied|Operation not permitted|Read-only file system|wrong ownership/i,
    'no-permission',
  ],
];

/** The fault that a piece of PostgreSQL's output, or the message of a failed system call, stands for. */
export function faultIn(text: string): EmbeddedDatabaseFault {
  return signs.find(([sign]) => sign.test(text))?.[1] ?? 'failed';
}

/** Puts what went wrong with `directory` into a sentence that says what to do about it. */
export function explain(text: string, directory: string): EmbeddedDatabaseError {
  const fault = faultIn(text);
  return new EmbeddedDatabaseError(fault, `${sentences[fault](directory)} (${text.trim()})`);
}

const elsewhere = 'set EMBEDDED_DATABASE_DIR to a folder elsewhere, or DATABASE_URL to a PostgreSQL of your own';

const sentences: Record<EmbeddedDatabaseFault, (directory: string) => string> = {
  'no-space': (directory) =>
    `No space is left on the disk that holds the database folder ${directory}: free some, ${elsewhere}.`,
  'no-permission': (directory) =>
    `The database folder ${directory} cannot be used by this account: correct its permissions, ${elsewhere}.`,
  'other-version': (directory) =>
    `The database folder ${directory} was made by another major version of PostgreSQL: move it away to begin anew, ${elsewhere}.`,
  port: () => 'The embedded PostgreSQL found no port on 127.0.0.1 that it may listen on.',
  busy: (directory) => `Another process is starting or stopping the database in ${directory} and does not finish.`,
  'unsupported-platform': () =>
    `There is no embedded PostgreSQL for this platform: set DATABASE_URL to a PostgreSQL of your own.`,
  'missing-package': () => `The embedded PostgreSQL is not installed: set DATABASE_URL to a PostgreSQL of your own.`,
  failed: (directory) => `The embedded PostgreSQL in ${directory} did not start.`,
};
