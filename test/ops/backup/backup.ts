/**
 * Backups on real containers: what is made by itself, what is refused, what comes back, how late the archive is, copies
 * elsewhere, a full disk, a missed run, and that no secret shows anywhere.
 */
import { randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { hasDocker, productImage } from '../../harness/docker.ts';
import { type Cleanup, openFolder } from '../../harness/processes.ts';
import type { CheckResult } from '../checks.ts';
import { fullDisk, missedRun, oneAtATime, overdue } from './accidents.ts';
import { copyToPath, copyToS3, repositoryInS3 } from './copies.ts';
import { dumpWhileWriting, overwrite, refusals, refusesToOverwrite } from './dumps.ts';
import { firstStart, markAfterRestart, archivesInTime } from './first-start.ts';
import { drillAfterwards, inPlace, momentBetween, unreachable, volumeLost } from './recovery.ts';
import { startS3 } from './s3.ts';
import { SecretWatch } from './secrets.ts';
import { Stack } from './stack.ts';

export async function backup({ short }: { short: boolean }, cleanup: Cleanup): Promise<CheckResult[]> {
  if (!(await hasDocker())) throw new Error('no Docker engine answers');
  const results: CheckResult[] = [];
  const check = async (name: string, run: () => Promise<string[]>) => {
    const started = Date.now();
    const faults = await run().catch((error: unknown) => [error instanceof Error ? error.message : String(error)]);
    results.push({ name, faults });
    const outcome = faults.length === 0 ? 'ok' : 'FAILED';
    process.stdout.write(`${outcome.padEnd(6)} ${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${name}\n`);
  };

  const folder = await openFolder('backup-s3');
  cleanup.add('its folder', () => rm(folder, { recursive: true, force: true }));
  const project = `eyrie-backup-${randomInt(1000, 10_000)}`;
  const s3 = await startS3(project, folder, cleanup);
  const settings = {
    EYRIE_IMAGE: await productImage(),
    WORKER_REPLICAS: '1',
    BACKUP_CPUS: '1',
    ...s3.settings,
  };
  const stack = await Stack.create(project, settings, cleanup);
  await s3.admit(stack);
  await stack.compose.runOrThrow(['build', '--quiet', 'postgres', 'backup'], { timeoutMs: 900_000 });
  const watch = new SecretWatch();
  cleanup.add('the watch on secrets', () => watch.stop());
  await stack.compose.up(['postgres', 'backup', 'worker']);
  await s3.join(`${project}_egress`);
  watch.start(await stack.secrets());

  await check('P1: the first start makes a dump, a base backup and a drill by itself', () => firstStart(stack));
  const mark = await markAfterRestart(stack);
  await check('P1: a dump while rows are written is one moment, and restores into a new database', () =>
    dumpWhileWriting(stack),
  );
  await check('P1: a corrupt, cut, changed or foreign dump is refused, and nothing stops for it', () =>
    refusals(stack, folder),
  );
  await check('P1: the live database is not overwritten without the flag', () => refusesToOverwrite(stack));
  await check('P1: with the flag it is, after a safety dump, and the old one is kept', () => overwrite(stack));
  await check('P1: a commit is archived within 60 s, on an idle server that has just restarted', () =>
    archivesInTime(stack, mark),
  );
  await check('P1: a moment between two transactions comes back with the first, without the second', () =>
    momentBetween(stack),
  );
  await check('P1: a moment before the oldest base backup, or in the future, is refused', () => unreachable(stack));
  if (!short)
    await check('P1: the live server goes back to a moment, and its new history is backed up', () => inPlace(stack));
  await check('P1: the drill passes, prints RPO and RTO, and renews its metrics', () => drillAfterwards(stack));
  await check('P1: dumps are copied to a path, and a copy that fails is a failed backup that keeps the dump', () =>
    copyToPath(stack),
  );
  await check('P1: dumps are copied to S3 and come back from there alone', () => copyToS3(stack, s3));
  if (!short)
    await check('P1: base backups and WAL go to S3 and come back', () => repositoryInS3(s3, settings, cleanup));
  await check('P1: two backups at once are made one after the other', () => oneAtATime(stack));
  await check('P1: on a full disk the partial file goes, the last dump stays, and one line says why', () =>
    fullDisk(stack),
  );
  await check('P1: a dump that is overdue is made at the start of the service', () => overdue(stack));
  if (!short) await check('P1: what was missed while the service was down runs at its start', () => missedRun(stack));
  if (!short)
    await check('P1: the volume of the database is lost, and all that was archived is back', () => volumeLost(stack));
  await check('P1: no secret shows among the processes, in inspect, in logs or in output', () => watch.faults(stack));
  return results;
}
