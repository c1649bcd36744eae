/** What happens without anybody asking: the first backups, and the archive. */
import { docker } from '../../harness/docker.ts';
import { type Stack, unless, until } from './stack.ts';

/** The most that a commit may wait for its being archived: the RPO that is promised. */
const RPO_LIMIT_S = 60;

export async function firstStart(stack: Stack): Promise<string[]> {
  const status = async (kind: string) => (await stack.metric(`backup_last_status{kind="${kind}"}`)) === 1;
  await until('the first dump', () => status('dump'), 60_000);
  await until('the first base backup', () => status('base'), 60_000);
  await until('the first drill', async () => (await stack.metric('restore_drill_last_status')) === 1, 120_000);

  const expiry = await stack.metric('certificate_not_after_timestamp_seconds{name="tls"}');
  const success = await stack.metric('backup_last_success_timestamp_seconds{kind="dump"}');
  const size = await stack.metric('backup_last_size_bytes{kind="dump"}');
  const files = (await stack.inBackup('stat -c "%a %n" /textfile/*.prom')).split('\n');
  const unreadable = files.filter((file) => !file.startsWith('644 '));
  const faults = [
    ...unless(expiry > Date.now() / 1000 + 86_400, `certificate_not_after_timestamp_seconds is ${expiry}`),
    ...unless(Math.abs(success - Date.now() / 1000) < 300, `backup_last_success_timestamp_seconds is ${success}`),
    ...unless(size > 0, `a dump of ${size} bytes`),
    ...unless(unreadable.length === 0, `node_exporter may not read ${unreadable.join(', ')}`),
  ];
  for (const file of files.map((line) => line.split(' ')[1]!)) {
    const text = await stack.inBackup(`cat ${file}`);
    const promtool = [
      'run',
      '--rm',
      '--interactive',
      '--entrypoint',
      'promtool',
      'prom/prometheus:v3.5.3',
      'check',
      'metrics',
    ];
    const { status: fault, stderr, stdout } = await docker(promtool, { input: `${text}\n` });
    // 3 is lint, about names that are given.
    if (fault !== 0 && fault !== 3) faults.push(`${file}: ${stdout}${stderr}`);
  }
  const archiver = await stack.sql('SELECT failed_count FROM pg_stat_archiver');
  return [...faults, ...unless(archiver === '0', `archive_command failed ${archiver} times on a fresh server`)];
}

export interface Mark {
  at: number;
  segment: string;
}

/** Restarts PostgreSQL, commits a row and says in which WAL segment that is. */
export async function markAfterRestart(stack: Stack): Promise<Mark> {
  await stack.compose.runOrThrow(['restart', '--timeout', '30', 'postgres']);
  await stack.compose.up(['postgres']);
  await stack.sql('CREATE TABLE IF NOT EXISTS note (text text)');
  const at = Date.now() / 1000;
  await stack.sql("INSERT INTO note VALUES ('marked')");
  return { at, segment: await stack.sql('SELECT pg_walfile_name(pg_current_wal_insert_lsn())') };
}

export async function archivesInTime(stack: Stack, { at, segment }: Mark): Promise<string[]> {
  const find = `find /backups/pgbackrest/archive -name '${segment}-*' -printf '%T@\\n'`;
  let found = '';
  await until(`${segment} archived`, async () => (found = await stack.inBackup(find)) !== '', RPO_LIMIT_S * 1000);
  const took = Number(found) - at;
  const published = await stack.metric('backup_last_duration_seconds{kind="wal"}');
  process.stdout.write(
    `       archived ${took.toFixed(1)} s after its commit; the service measured ${published} s last\n`,
  );
  return [
    ...unless(took <= RPO_LIMIT_S, `it took ${took} s`),
    ...unless(published > 0 && published <= RPO_LIMIT_S, `the service measured ${published} s`),
    ...unless((await stack.metric('backup_last_status{kind="wal"}')) === 1, 'backup_last_status{kind="wal"} is not 1'),
  ];
}
