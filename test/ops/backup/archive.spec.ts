import { expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inBash } from './bash.js';

/** What the watch says, look by look, while the clock, the server's segment and the archive's content are given. */
function watch(looks: readonly [second: number, writing: string, archive: string][]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'eyrie-archive-'));
  const stand = `
    unset EPOCHSECONDS EPOCHREALTIME; EPOCHSECONDS=0 EPOCHREALTIME=0.000000
    write_mark() { SEGMENT=$WRITING; [[ $WRITING ]]; }
    archived() { FOUND_SIZE=7; [[ " $ARCHIVE " == *" $1 "* ]]; }
    archive_range() { echo "\${ARCHIVE%% *} \${ARCHIVE##* }"; }
    publish_backup() { said+=" good-until-$3"; }
    failed_backup() { said+=' failed'; }
    complain() { said+=" [$1]"; }
    log() { said+=" [$1]"; }
    look() {
      EPOCHSECONDS=$1 EPOCHREALTIME=$1.500000 WRITING=$2 ARCHIVE=$3 said=''
      probe_archive || true
      echo "$1:$said"
    }`;
  const calls = looks.map(([second, writing, archive]) => `look ${second} '${writing}' '${archive}'`).join('\n');
  try {
    const env = { BACKUP_GAP: join(folder, 'gap'), TZ: 'UTC' };
    return inBash(['metrics', 'archive'], `${stand}\n${calls}`, { env }).trimEnd().split('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('P1: what was committed before its segment was seen last is safe once that is archived', () => {
  expect(
    watch([
      [100, 'A1', ''],
      [105, 'A1', ''],
      [140, 'A2', ''],
      [145, 'A2', 'A1'],
      [150, 'A3', 'A1'],
      [155, 'A4', 'A1 A2 A3'],
    ]),
  ).toEqual(['100:', '105:', '140:', '145: good-until-105', '150:', '155: good-until-145 good-until-150']);
});

test('P1: a segment that the archive never got, though it has a later one, is a gap until a new base backup', () => {
  const lines = watch([
    [100, 'A1', ''],
    [145, 'A2', 'A0 A2'],
    [150, 'A3', 'A0 A2'],
  ]);
  expect(lines[1]).toMatch(/WAL segment A1 is missing in the archive.* failed$/);
  expect(lines[2]).toBe('150: failed');
});

test('P1: a segment that went with the oldest base backup is no gap', () => {
  expect(
    watch([
      [100, 'A1', ''],
      [145, 'A3', 'A2'],
      [150, 'A4', 'A2 A3'],
    ]),
  ).toEqual(['100:', '145:', '150: good-until-145']);
});

test('P1: an archive that stands still fails, says so once, and says when it goes on', () => {
  expect(
    watch([
      [100, 'A1', ''],
      [405, 'A2', ''],
      [410, 'A2', ''],
      [415, 'A2', 'A1'],
    ]),
  ).toEqual([
    '100:',
    "405: [the WAL of 1970-01-01T00:01:40Z is not archived yet: see PostgreSQL's log] failed",
    '410: failed',
    '415: good-until-100 [the archive is up to date again]',
  ]);
});

test('P1: a database that does not answer fails', () => {
  expect(watch([[100, '', '']])).toEqual(['100: failed']);
});
