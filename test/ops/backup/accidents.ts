/** What goes wrong in practice: two at once, a full disk, a service that was down at the time. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Stack, unless, until } from './stack.ts';

export async function oneAtATime(stack: Stack): Promise<string[]> {
  const before = (await stack.inBackup('ls /backups/dumps')).split('\n');
  const results = await Promise.all([stack.backup('dump', '--keep-all'), stack.backup('dump', '--keep-all')]);
  const made = (await stack.inBackup('ls /backups/dumps/*.json')).split('\n').length - before.length / 2;
  const unfinished = await stack.inBackup('ls -A /backups/dumps | grep partial || true');
  return [
    ...results.flatMap(({ status, stderr }) => unless(status === 0, `status ${status}: ${stderr}`)),
    ...unless(made === 2, `${made} dumps were made`),
    ...unless(unfinished === '', `left behind: ${unfinished}`),
  ];
}

/** A disk that has room for one dump of eight megabytes that do not compress, but not for two; and one that has not. */
export async function fullDisk(stack: Stack): Promise<string[]> {
  await stack.sql(`CREATE TABLE bulk AS SELECT string_agg(uuidv4()::text || uuidv4()::text, '') AS text
    FROM generate_series(1, 200000) i GROUP BY i / 1000`);
  const disk = (size: string) => [
    ...['--tmpfs', `/backups:uid=999,size=${size}`, '--tmpfs', '/textfile:uid=999', '--entrypoint', 'bash'],
  ];
  const look =
    'ls -A /backups/dumps; grep -h ^backup_last_status /textfile/*.prom; free=$(df --output=avail /backups | tail -n 1)';
  const small = await stack.container(disk('4m'), ['-c', `backup dump; echo "status $?"; ${look}; echo "free $free"`]);
  const second = `backup dump; echo "status $?"; backup dump; echo "status $?"; ${look}`;
  const enough = await stack.container(disk('14m'), ['-c', second]);
  await stack.sql('DROP TABLE bulk');
  const lines = (stderr: string) =>
    stderr
      .trim()
      .split('\n')
      .filter((line) => line.includes('error'));
  const free = Number(/free\s+(\d+)/.exec(small.stdout)?.[1]);
  return [
    ...unless(/status 1/.test(small.stdout), `too small a disk: ${small.stdout}`),
    ...unless(
      lines(small.stderr).length === 1 && /disk of \/backups is full/.test(small.stderr),
      `it says: ${small.stderr}`,
    ),
    ...unless(!/eyrie-/.test(small.stdout) && free > 3500, `the partial file is still there: ${small.stdout}`),
    ...unless(/backup_last_status\{kind="dump"\} 0/.test(small.stdout), `metrics: ${small.stdout}`),
    ...unless(/status 0\nstatus 1/.test(enough.stdout), `room for one: ${enough.stdout}${enough.stderr}`),
    ...unless(/eyrie-\w+\.dump\.age\neyrie-\w+\.json/.test(enough.stdout), `the first is gone: ${enough.stdout}`),
    ...unless(/disk of \/backups is full/.test(enough.stderr), `it says: ${enough.stderr}`),
  ];
}

/** The newest dump is of the day before yesterday, as after a weekend without power. */
export async function overdue(stack: Stack): Promise<string[]> {
  const old = `eyrie-${new Date(Date.now() - 2 * 86_400_000).toISOString().replace(/[-:]|\.\d+/g, '')}`;
  await stack.compose.runOrThrow(['stop', 'backup']);
  const aside = 'mv /backups/dumps /backups/hidden; mkdir /backups/dumps; n=$(ls /backups/hidden/*.json | tail -n 1)';
  const backdate = `${aside}; cp $n /backups/dumps/${old}.json; cp \${n%.json}.dump.age /backups/dumps/${old}.dump.age`;
  await stack.compose.runOrThrow([
    'run',
    '--rm',
    '--no-deps',
    '--no-TTY',
    '--entrypoint',
    'bash',
    'backup',
    '-c',
    backdate,
  ]);
  await stack.compose.up(['backup']);
  const newest = () => stack.inBackup('ls /backups/dumps/*.json | tail -n 1');
  const made = await until('a dump', async () => !(await newest()).includes(old), 45_000);
  await until('its end', async () => (await stack.metric('backup_last_status{kind="dump"}')) === 1, 45_000);
  await stack.inBackup('mv /backups/hidden/* /backups/dumps/ && rmdir /backups/hidden');
  return unless(made < 45_000, 'none was made');
}

/** The service is down in the minute of its schedule, and comes back in the next. */
export async function missedRun(stack: Stack): Promise<string[]> {
  const incremental = `eyrie-pgbackrest --output=json info | jq '[.[0].backup[] | select(.type == "incr") | .timestamp.start] | max // 0'`;
  const before = Number(await stack.inBackup(incremental));
  const due = new Date(Math.ceil((Date.now() + 15_000) / 60_000) * 60_000);
  const schedule = `BACKUP_INCREMENTAL_SCHEDULE="${due.getUTCMinutes()} ${due.getUTCHours()} * * *"\n`;
  await appendFile(join(stack.directory, '.env'), schedule);
  await stack.compose.runOrThrow(['up', '--no-start', '--no-deps', '--no-build', 'backup']);
  await stack.compose.runOrThrow(['stop', 'backup']);
  await until('the minute of the schedule is over', async () => Date.now() > due.getTime() + 2000, 90_000);
  const started = Date.now() / 1000;
  await stack.compose.up(['backup']);
  let made = 0;
  await until('a base backup', async () => (made = Number(await stack.inBackup(incremental))) > before, 45_000);
  const logs = await stack.compose.logs('backup');
  return [
    ...unless(made >= Math.floor(started), `made at ${made}, and the service started at ${started}`),
    ...unless(
      !/dump: its time has come/.test(logs.slice(logs.lastIndexOf('incremental: its time'))),
      'a dump was made, too',
    ),
  ];
}
