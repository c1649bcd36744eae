import { describe, expect, it } from '@jest/globals';
import { type EmbeddedDatabaseFault, explain } from './embedded-error.js';

/** What PostgreSQL 18 and Node say, word for word. */
const said: [string, EmbeddedDatabaseFault][] = [
  ['initdb: error: could not write to file "pg_wal/xlogtemp.7": No space left on device', 'no-space'],
  ["ENOSPC: no space left on device, write '.eyrie/postgres/password'", 'no-space'],
  ["EDQUOT: disk quota exceeded, mkdir '.eyrie'", 'no-space'],
  ["EACCES: permission denied, mkdir '/opt/eyrie'", 'no-permission'],
  ["EROFS: read-only file system, mkdir '/opt/eyrie'", 'no-permission'],
  ['initdb: error: could not access directory "/srv/data": Permission denied', 'no-permission'],
  ['FATAL: data directory "/srv/data" has wrong ownership', 'no-permission'],
  ['FATAL: database files are incompatible with server', 'other-version'],
  [
    'LOG: could not bind IPv4 address "127.0.0.1": Address already in use FATAL: could not create any TCP/IP sockets',
    'port',
  ],
  ['FATAL: could not resize shared memory segment "/PostgreSQL.1": No space left on device', 'failed'],
  ['PANIC: could not locate a valid checkpoint record', 'failed'],
];

describe('explain', () => {
  it.each(said)('reads %j as %s', (text, fault) => {
    const error = explain(text, '/srv/eyrie');
    expect(error.fault).toBe(fault);
    expect(error.message).toMatch(/^[A-Z][^\n]*\. \(.+\)$/); // a sentence, and the original words for whoever wants them
    expect(error.message).toContain(text);
  });
});
