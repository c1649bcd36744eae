/** Copies elsewhere: a path, S3-compatible storage, and the whole repository there. */
import type { DockerResult } from '../../harness/docker.ts';
import { docker } from '../../harness/docker.ts';
import type { Cleanup } from '../../harness/processes.ts';
import type { S3 } from './s3.ts';
import { Stack, unless, until } from './stack.ts';

/** The backup service's programs with other settings. */
async function withSettings(stack: Stack, settings: Record<string, string>, command: string[]): Promise<DockerResult> {
  const environment = Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const result = await stack.compose.run([
    'run',
    '--rm',
    '--no-deps',
    '--no-TTY',
    ...environment,
    'backup',
    ...command,
  ]);
  stack.output += result.stdout + result.stderr;
  return result;
}

const sums = (stack: Stack, folder: string) => stack.inBackup(`cd ${folder} && sha256sum eyrie-*`);

export async function copyToPath(stack: Stack): Promise<string[]> {
  // Port 9 of the server's host: nobody listens.
  const away = { BACKUP_COPY_TO: 's3', BACKUP_S3_ENDPOINT: 'https://s3:9' };
  const before = Number(await stack.inBackup('ls /backups/dumps/*.json | wc -l'));
  const success = await stack.metric('backup_last_success_timestamp_seconds{kind="dump"}');
  const failed = await withSettings(stack, away, ['dump']);
  const kept = Number(await stack.inBackup('ls /backups/dumps/*.json | wc -l'));
  const [status, still] = [
    await stack.metric('backup_last_status{kind="dump"}'),
    await stack.metric('backup_last_success_timestamp_seconds{kind="dump"}'),
  ];
  const copied = await withSettings(stack, { BACKUP_COPY_TO: 'path' }, ['dump']);
  return [
    ...unless(
      failed.status !== 0 && /kept here only/.test(failed.stderr),
      `a copy that fails: ${failed.status} ${failed.stderr}`,
    ),
    ...unless(kept === before + 1 || kept === before, `${before} dumps before, ${kept} after: the dump was not kept`),
    ...unless(
      status === 0 && still === success,
      `metrics after it: status ${status}, success ${still} instead of ${success}`,
    ),
    ...unless(copied.status === 0, `to a path: ${copied.status} ${copied.stderr}`),
    ...unless(
      (await sums(stack, '/copies')) === (await sums(stack, '/backups/dumps')),
      'the copies differ from the dumps',
    ),
    ...unless((await stack.metric('backup_last_status{kind="dump"}')) === 1, 'the metrics do not see the success'),
  ];
}

export async function copyToS3(stack: Stack, s3: S3): Promise<string[]> {
  const copied = await withSettings(stack, { BACKUP_COPY_TO: 's3' }, ['dump']);
  // A host that has lost its volume: nothing but the copies and the key.
  const away = ['--entrypoint', 'bash', '--env', 'BACKUP_COPY_TO=s3'];
  const elsewhere =
    'mv /backups/dumps /backups/hidden; backup verify latest; ok=$?; cd /backups/dumps && sha256sum eyrie-*; exit $ok';
  const fetched = await stack.compose.run(['run', '--rm', '--no-deps', '--no-TTY', ...away, 'backup', '-c', elsewhere]);
  await stack.inBackup('rm -rf /backups/dumps && mv /backups/hidden /backups/dumps');
  const original = await sums(stack, '/backups/dumps');
  const strange = fetched.stdout.split('\n').filter((line) => / {2}eyrie-/.test(line) && !original.includes(line));
  const refused = (await docker(['logs', s3.container])).stderr;
  return [
    ...unless(copied.status === 0, `to S3: ${copied.status} ${copied.stderr}`),
    ...unless(
      fetched.status === 0 && /whole and ours/.test(fetched.stdout),
      `from S3: ${fetched.stdout}${fetched.stderr}`,
    ),
    ...unless(
      strange.length === 0 && / {2}eyrie-/.test(fetched.stdout),
      `other content came back: ${strange.join(', ')}`,
    ),
    ...unless(refused === '', `the server refused: ${refused}`),
  ];
}

/** A second stack whose base backups and WAL are in S3 alone; the storage is away when it starts. */
export async function repositoryInS3(s3: S3, settings: Record<string, string>, cleanup: Cleanup): Promise<string[]> {
  const project = `${s3.container}-repository`;
  const own = {
    ...settings,
    BACKUP_S3_PREFIX: 'repository',
    BACKUP_REPOSITORY: 's3',
    BACKUP_ARCHIVE_INTERNAL: 'false',
  };
  const stack = await Stack.create(project, own, cleanup);
  await s3.admit(stack);
  await stack.compose.up(['postgres', 'backup']);
  await stack.sql("CREATE TABLE note (text text); INSERT INTO note VALUES ('while the storage was away')");
  await s3.join(`${project}_archive`);
  await s3.join(`${project}_egress`);
  await until('a base backup', async () => (await stack.metric('backup_last_status{kind="base"}')) === 1, 120_000);
  const moment = await stack.sql('SELECT now()', 'postgres');
  await stack.sql("INSERT INTO note VALUES ('later')");
  await stack.scriptOrThrow('restore', '--time', moment, '--into', 'look');
  const psql = ['psql', '-XqAt', '-h', '/tmp', '-U', 'postgres', 'eyrie', '-c', 'SELECT text FROM note'];
  const found = (await docker(['exec', `${project}-restore-look`, ...psql])).stdout.trim();
  await stack.scriptOrThrow('restore', '--drop', 'look', '--yes');
  const drill = await stack.script('drill');
  const here = await stack.inBackup('ls /backups');
  return [
    ...unless(found === 'while the storage was away', `at ${moment} there was: ${found || 'nothing'}`),
    ...unless(drill.status === 0, `drill: ${drill.stdout}${drill.stderr}`),
    ...unless(!here.includes('pgbackrest'), 'there is a repository on the volume, too'),
  ];
}
