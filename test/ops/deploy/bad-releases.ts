import { CANARY } from './changes.ts';
import type { Drill } from './drill.ts';
import type { Fault, Images, Release } from './images.ts';
import { leftBehind, servedAlone } from './observe.ts';
import { type Outcome, reasonIn } from './script-run.ts';

interface BadRelease {
  what: string;
  fault: Fault;
  strategy: readonly string[];
  /** What the one line must say. */
  reason: RegExp;
}

const ROLLING = ['--strategy', 'rolling'];
const BLUE_GREEN = ['--strategy', 'blue-green'];
const CRASH = /crash|exit|ended|restart|healthy/i;

/** The first ones stand for all in the short form. */
const BAD: readonly BadRelease[] = [
  { what: 'a crash, rolling', fault: 'crash', strategy: ROLLING, reason: CRASH },
  { what: 'never healthy, blue-green', fault: 'unready', strategy: BLUE_GREEN, reason: /healthy|ready/i },
  { what: 'answers of 500, rolling', fault: 'error', strategy: ROLLING, reason: /500/ },
  { what: 'a failing migration', fault: 'migration', strategy: ROLLING, reason: /migrat/i },
  { what: 'too slow, canary', fault: 'slow', strategy: CANARY, reason: /latency|p95|slow/i },
  { what: 'a crash of the worker, rolling', fault: 'worker', strategy: ROLLING, reason: /worker/i },
  { what: 'a crash of the worker, blue-green', fault: 'worker', strategy: BLUE_GREEN, reason: /worker/i },
  { what: 'a crash, blue-green', fault: 'crash', strategy: BLUE_GREEN, reason: CRASH },
  { what: 'a crash, canary', fault: 'crash', strategy: CANARY, reason: CRASH },
  { what: 'never healthy, rolling', fault: 'unready', strategy: ROLLING, reason: /healthy|ready/i },
  { what: 'never healthy, canary', fault: 'unready', strategy: CANARY, reason: /healthy|ready/i },
  { what: 'answers of 500, blue-green', fault: 'error', strategy: BLUE_GREEN, reason: /500/ },
  { what: 'answers of 500, canary', fault: 'error', strategy: CANARY, reason: /500/ },
];
const IN_SHORT = 5;

/** What never gets healthy need not be waited for; a busy machine must not look like it. */
const patience = (fault: Fault) => ['--attempts', fault === 'unready' ? '15' : '120', '--interval', '1s'];

/** Releases that must not come to serve. */
export async function badReleases(drill: Drill, images: Images, good: Release, short: boolean): Promise<void> {
  for (const { what, fault, strategy, reason } of BAD.slice(0, short ? IN_SHORT : undefined)) {
    const bad = await images.broken(fault);
    await drill.phase(what, async () => {
      const outcome = await drill.script(
        'deploy',
        '--image',
        bad.image,
        '--skip-backup',
        '--watch',
        '5s',
        ...patience(fault),
        ...strategy,
      );
      return [...(await refused(drill, { outcome, good, bad, reason })), ...(await halfMigrated(drill))];
    });
  }
}

/** What a failed migration has done until then must be undone. */
async function halfMigrated({ host }: Drill): Promise<string[]> {
  const tables = await host.sql(
    `SELECT to_regclass('half_done')::text AS found WHERE to_regclass('half_done') IS NOT NULL`,
  );
  return tables.length > 0 ? ['half of a migration is left in the database'] : [];
}

/** A deploy that failed as it must: a status, one clear line, and the old version alone, as if nothing had been. */
export async function refused(
  { host }: Drill,
  { outcome, good, bad, reason }: { outcome: Outcome; good: Release; bad: Release; reason: RegExp },
): Promise<string[]> {
  const { status, output } = outcome;
  const said = reasonIn(output, 'deploy') ?? 'nothing';
  return [
    ...(status === 0 ? ['it ended with status 0'] : []),
    ...(reason.test(said) ? [] : [`its line should match ${reason}, and it said: ${said}\n${output}`]),
    ...(await servedAlone(host, good)),
    ...(await leftBehind(host, bad)),
  ];
}
