import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../harness/eventually.ts';
import { refused } from './bad-releases.ts';
import { CANARY, deployed, HASTE } from './changes.ts';
import type { Drill } from './drill.ts';
import type { Images, Release } from './images.ts';
import { activeSlot, firstReplica, otherThan, servedAlone, traffic, versionsServed } from './observe.ts';
import { reasonIn } from './script-run.ts';

const STRATEGIES = [['--strategy', 'rolling'], ['--strategy', 'blue-green'], CANARY] as const;
type Strategy = (typeof STRATEGIES)[number];

/** What happens to a deploy while it is under way. Returns the release that serves at the end. */
export async function accidents(drill: Drill, images: Images, serving: Release, short: boolean): Promise<Release> {
  let good = serving;
  const tooMuch = await images.next();
  await drill.phase('a full disk for the backup', () => fullDisk(drill, { good, bad: tooMuch }));
  for (const strategy of short ? STRATEGIES.slice(0, 1) : STRATEGIES) {
    const next = await images.next();
    await drill.phase(`SIGKILL in the middle, ${strategy[1]}`, () => killed(drill, { good, next, strategy }));
    good = next;
  }
  for (const strategy of short ? STRATEGIES.slice(1, 2) : STRATEGIES) {
    const next = await images.next();
    await drill.phase(`Ctrl-C in the middle, ${strategy[1]}`, () => interrupted(drill, { good, next, strategy }));
  }
  const [last, other] = [await images.next(), await images.next()];
  await drill.phase('two deploys at once', () => twoAtOnce(drill, { next: last, other }));
  return last;
}

/** The backup that goes before a deploy has no room: the deploy must not begin. */
async function fullDisk(drill: Drill, { good, bad }: { good: Release; bad: Release }): Promise<string[]> {
  await drill.host.fillBackupDisk(good.image);
  try {
    const outcome = await drill.script('deploy', '--image', bad.image, '--strategy', 'rolling');
    return await refused(drill, { outcome, good, bad, reason: /space|full|backup/i });
  } finally {
    await drill.host.emptyBackupDisk();
  }
}

interface Attempt {
  good: Release;
  next: Release;
  strategy: Strategy;
}

/** Begins a deploy and returns it when it is in the middle: the next release is there, or has its first traffic. */
async function begun(drill: Drill, { next, strategy }: Attempt) {
  const active = await activeSlot(drill.host);
  const run = drill.host.script('deploy', '--image', next.image, ...HASTE, ...strategy);
  const middle = strategy === CANARY ? traffic(drill.host, otherThan(active), 1) : firstReplica(drill.host, next);
  const early = run.ended.then(({ status, output }) => {
    throw new Error(`the deploy ended with status ${status} before it was in the middle\n${output}`);
  });
  await Promise.race([middle, early]);
  early.catch(() => undefined);
  return run;
}

/** Nothing can be tidied up: both versions may serve, none may fail, and the next run completes what was begun. */
async function killed(drill: Drill, attempt: Attempt): Promise<string[]> {
  const { good, next, strategy } = attempt;
  const run = await begun(drill, attempt);
  run.signal('SIGKILL');
  drill.report.noteScript(`deploy --image ${next.image} ${strategy[1]}`, await run.ended);
  await sleep(3_000);
  const strange = (await versionsServed(drill.host)).filter(
    (version) => ![good.version, next.version].includes(version),
  );
  return [...strange.map((version) => `${version} serves`), ...(await deployed(drill, next, ...strategy))];
}

/** A person changes their mind: the script itself goes back to where it began. */
async function interrupted(drill: Drill, attempt: Attempt): Promise<string[]> {
  const run = await begun(drill, attempt);
  run.signal('SIGINT');
  const outcome = await run.ended;
  drill.report.noteScript(`deploy --image ${attempt.next.image} ${attempt.strategy[1]}`, outcome);
  const faults = await refused(drill, { outcome, good: attempt.good, bad: attempt.next, reason: /interrupt/i });
  return outcome.status === 130 ? faults : [`it ended with status ${outcome.status}, not 130`, ...faults];
}

/** The second is told who is at work, and the first is not disturbed. */
async function twoAtOnce(drill: Drill, { next, other }: { next: Release; other: Release }): Promise<string[]> {
  const first = deployed(drill, next, '--strategy', 'rolling');
  await eventually(() => existsSync(join(drill.host.directory, '.state/lock')), 30_000);
  const { status, output } = await drill.script('deploy', '--image', other.image, ...HASTE);
  const said = reasonIn(output, 'deploy') ?? 'nothing';
  return [
    ...(status === 75 ? [] : [`the second ended with status ${status}, not 75\n${output}`]),
    ...(/lock/.test(said) ? [] : [`the second said: ${said}`]),
    ...(await first),
    ...(await servedAlone(drill.host, next)),
  ];
}
