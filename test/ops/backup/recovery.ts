/** Point-in-time recovery and the drill. */
import { setTimeout as sleep } from 'node:timers/promises';
import { dockerOrThrow } from '../../harness/docker.ts';
import { type Stack, unless, until } from './stack.ts';

/** A moment with one transaction before it and one after it. */
async function mark(stack: Stack, name: string): Promise<string> {
  await stack.sql(`INSERT INTO note VALUES ('before ${name}')`);
  await sleep(1000);
  const moment = await stack.sql('SELECT now()', 'postgres');
  await sleep(1000);
  await stack.sql(`INSERT INTO note VALUES ('after ${name}')`);
  return moment;
}

const notes = (name: string) => `SELECT string_agg(text, ', ') FROM note WHERE text LIKE '% ${name}'`;

export async function momentBetween(stack: Stack): Promise<string[]> {
  const moment = await mark(stack, 'the look');
  await stack.scriptOrThrow('restore', '--time', moment, '--into', 'look');
  const container = `${stack.project}-restore-look`;
  const psql = ['exec', container, 'psql', '-XqAt', '-h', '/tmp', '-U', 'postgres', 'eyrie', '-c'];
  const found = await dockerOrThrow([...psql, notes('the look')]);
  const archiving = await dockerOrThrow([...psql, 'SHOW archive_mode']);
  const again = await stack.script('restore', '--time', moment, '--into', 'look');
  await stack.scriptOrThrow('restore', '--drop', 'look', '--yes');
  const left = await dockerOrThrow(['volume', 'ls', '--quiet', '--filter', `name=${container}`]);
  return [
    ...unless(found === 'before the look', `at ${moment} there was: ${found || 'nothing'}`),
    ...unless(archiving === 'off', 'the copy writes into the archive of the original'),
    ...unless(again.status !== 0 && /already/.test(again.stderr), `a second one of the same name: ${again.stderr}`),
    ...unless(left === '', `left behind: ${left}`),
  ];
}

export async function unreachable(stack: Stack): Promise<string[]> {
  const early = await stack.script('restore', '--time', '2001-01-01 UTC', '--overwrite', '--yes');
  const future = await stack.script('restore', '--time', 'tomorrow', '--overwrite', '--yes');
  const answer = await stack.sql('SELECT 1');
  return [
    ...unless(
      early.status === 65 && /no base backup from before/.test(early.stderr),
      `2001: ${early.status} ${early.stderr}`,
    ),
    ...unless(
      future.status === 2 && /in the future/.test(future.stderr),
      `tomorrow: ${future.status} ${future.stderr}`,
    ),
    ...unless(answer === '1', 'the live database was touched'),
  ];
}

export async function inPlace(stack: Stack): Promise<string[]> {
  const moment = await mark(stack, 'the way back');
  const newestBase = () => stack.inBackup("eyrie-pgbackrest --output=json info | jq -r '.[0].backup | last | .label'");
  const before = await newestBase();
  const output = await stack.scriptOrThrow('restore', '--time', moment, '--overwrite', '--yes');
  const found = await stack.sql(notes('the way back'));
  const aside = /docker\.(before-\w+)/.exec(output)?.[1] ?? '';
  const faults = [
    ...unless(found === 'before the way back', `at ${moment} there was: ${found || 'nothing'}`),
    ...unless((await newestBase()) > before, 'the new history has no base backup'),
  ];
  // The new history is archived, and can be gone back in as well.
  const second = await mark(stack, 'the second way');
  await stack.scriptOrThrow('restore', '--time', second, '--into', 'second');
  const psql = [
    'exec',
    `${stack.project}-restore-second`,
    'psql',
    '-XqAt',
    '-h',
    '/tmp',
    '-U',
    'postgres',
    'eyrie',
    '-c',
  ];
  const both = await dockerOrThrow([...psql, `${notes('the second way')} OR text = 'before the way back'`]);
  await stack.scriptOrThrow('restore', '--drop', 'second', '--yes');
  const dropped = await stack.script('restore', '--drop', aside, '--yes');
  await stack.compose.up(['worker']);
  return [
    ...faults,
    ...unless(both === 'before the way back, before the second way', `in the new history there was: ${both}`),
    ...unless(dropped.status === 0, `${aside || 'the old data directory'} is still there: ${dropped.stderr}`),
  ];
}

export async function drillAfterwards(stack: Stack): Promise<string[]> {
  // The restart of the service may have begun one of its own.
  await until(
    'an archive that is watched',
    async () => (await stack.metric('backup_last_status{kind="wal"}')) === 1,
    90_000,
  );
  const before = await stack.metric('restore_drill_last_success_timestamp_seconds');
  const output = await stack.scriptOrThrow('drill');
  const line = /restore drill passed in .*/.exec(output)?.[0] ?? '';
  process.stdout.write(`       ${line}\n`);
  const [rpo, rtoDump, rtoArchive] =
    /RPO (\d+) s, RTO ([\d.]+) s from the dump, ([\d.]+) s from/.exec(line)?.slice(1).map(Number) ?? [];
  return [
    ...unless(rpo !== undefined && rpo <= 120, `RPO: ${rpo}`),
    ...unless(rtoDump! > 0 && rtoArchive! > 0, `RTO: ${rtoDump} and ${rtoArchive}`),
    ...unless((await stack.metric('restore_drill_last_success_timestamp_seconds')) > before, 'the metrics are old'),
    ...unless((await stack.metric('restore_drill_last_duration_seconds')) > 0, 'no duration'),
    ...unless((await stack.inBackup('ls /scratch')) === '', 'the drill left something behind'),
  ];
}

/** The data directory is gone with its volume; what docs/backup.md says brings everything back that was archived. */
export async function volumeLost(stack: Stack): Promise<string[]> {
  await stack.sql("INSERT INTO note VALUES ('before the loss')");
  await stack.backup('flush');
  const before = await stack.sql('SELECT count(*) FROM note');
  await stack.compose.runOrThrow(['rm', '--force', '--stop', 'worker', 'migrate', 'backup', 'postgres']);
  await dockerOrThrow(['volume', 'rm', `${stack.project}_postgres`]);

  await stack.compose.up(['postgres', 'backup']);
  await stack.compose.runOrThrow(['stop', 'postgres', 'backup']);
  const { status, stdout, stderr } = await stack.script('restore', '--time', 'latest', '--overwrite', '--yes');
  const after = await stack.sql('SELECT count(*) FROM note');
  await stack.compose.up(['worker']);
  const archived = async () => (await stack.metric('backup_last_status{kind="wal"}')) === 1;
  await until('the archive goes on', archived, 120_000);
  return [
    ...unless(status === 0, `status ${status}: ${stdout}${stderr}`),
    ...unless(after === before && after !== '', `${after} rows instead of ${before}`),
  ];
}
