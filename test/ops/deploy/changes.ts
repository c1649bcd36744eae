import { setTimeout as sleep } from 'node:timers/promises';
import { docker, dockerOrThrow } from '../../harness/docker.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Drill } from './drill.ts';
import type { Images, Release } from './images.ts';
import { replicasOf, servedAlone } from './observe.ts';
import { reasonIn } from './script-run.ts';

/** Short times, so that a drill ends, and no verdict on latency over so few seconds on a machine that is busy with all else. */
export const HASTE = [
  ...['--skip-backup', '--attempts', '180', '--interval', '1s', '--watch', '5s'],
  ...['--min-latency', '5000'],
] as const;
export const CANARY = ['--strategy', 'canary', '--weight', '20', '--steps', '20,60', '--step-duration', '6s'] as const;

/** Deploys that must succeed: the release serves alone afterwards. */
export async function deployed(drill: Drill, release: Release, ...args: readonly string[]): Promise<string[]> {
  const { status, output } = await drill.script('deploy', '--image', release.image, ...HASTE, ...args);
  if (status !== 0) return [`deploy ended with status ${status}: ${reasonIn(output, 'deploy')}\n${output}`];
  return servedAlone(drill.host, release);
}

/** Returns to the release before, which must be this one. */
export async function rolledBack(drill: Drill, before: Release): Promise<string[]> {
  const { status, output } = await drill.script('rollback');
  if (status !== 0) return [`rollback ended with status ${status}: ${reasonIn(output, 'rollback')}\n${output}`];
  return servedAlone(drill.host, before);
}

/** Every strategy, back again, and what a host goes through by itself. Returns the release that serves at the end. */
export async function changes(drill: Drill, images: Images, current: Release): Promise<Release> {
  const next = await images.next();
  await drill.phase('rolling, with a migration', async () => {
    const faults = await deployed(drill, next, '--strategy', 'rolling');
    const columns = await drill.host.sql(
      `SELECT column_name FROM information_schema.columns WHERE table_name = 'alerts' AND column_name = 'runbook'`,
    );
    return columns.length === 1 ? faults : [...faults, 'the migration was not applied'];
  });
  await drill.phase('rollback, on the new schema', () => rolledBack(drill, current));
  await drill.phase('blue-green', () => deployed(drill, next, '--strategy', 'blue-green'));
  await drill.phase('rollback to the other colour', () => rolledBack(drill, current));
  const after = await images.next();
  await drill.phase('canary, promoted', () => deployed(drill, after, ...CANARY));

  await drill.phase('kill of a replica', () => killReplica(drill, after));
  await drill.phase('restart of Redis', async () => {
    await drill.host.compose.runOrThrow(['restart', 'redis']);
    await sleep(4_000);
  });
  await drill.phase('SIGHUP of Nginx', async () => {
    for (let times = 0; times < 3; times++) {
      await drill.host.compose.runOrThrow(['kill', '--signal', 'HUP', 'nginx']);
      await sleep(2_000);
    }
  });
  return after;
}

/** `docker kill`, as the kernel's out-of-memory killer would; then it is started again, as the engine does after a crash. */
async function killReplica(drill: Drill, release: Release): Promise<string[]> {
  const replicas = await replicasOf(drill.host, release);
  const victim = replicas.find(({ service }) => service.startsWith('api-'));
  if (!victim) return ['there is no replica to kill'];
  const from = Date.now();
  await dockerOrThrow(['kill', victim.name]);
  drill.kills.push({ from, until: Date.now() });
  await sleep(4_000);
  // Docker does not restart what was killed through it.
  await docker(['start', victim.name]);
  await eventually(async () => {
    const now = await replicasOf(drill.host, release);
    return now.some(({ name, health }) => name === victim.name && health === 'healthy');
  }, 60_000);
  return servedAlone(drill.host, release);
}
