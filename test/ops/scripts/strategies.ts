/** What each verb does when all goes well. */
import { type Check, check, checkServing, expectServing, tell } from './check.ts';
import type { Sandbox } from './sandbox.ts';

export const STRATEGIES = ['rolling', 'blue-green', 'canary'] as const;
export type Strategy = (typeof STRATEGIES)[number];

export const NO_WAITING = ['--watch', '0s', '--steady', '0s'];

/** A deploy with short times. */
export function deployFlags(ref: string, strategy: Strategy): string[] {
  const short = [...NO_WAITING, '--step-duration', '0s', '--min-requests', '1', '--attempts', '2', '--interval', '1s'];
  return ['--image', ref, '--strategy', strategy, ...short];
}

/** Of what `status --json` prints, what is looked at. */
interface Facts {
  slots: Record<string, { version: string; healthy: number; traffic: number | null }>;
  releases: unknown[];
  unfinished: string | null;
}

export function strategyChecks(): Check[] {
  return [
    check('O1: a first installation ends with all replicas in service', async (sandbox, fault) => {
      const outcome = await sandbox.run('deploy', ...deployFlags('eyrie:1', 'blue-green'));
      if (outcome.status !== 0) fault(tell(outcome));
      expectServing(sandbox, 'eyrie:1', fault);
    }),
    ...STRATEGIES.map((strategy) =>
      checkServing(
        `O1: ${strategy} brings a new version into service, and a second run changes nothing`,
        async (sandbox, fault) => {
          const first = await sandbox.run('deploy', ...deployFlags('eyrie:2', strategy));
          if (first.status !== 0) fault(tell(first));
          expectServing(sandbox, 'eyrie:2', fault);
          const idle = sandbox.world.of(sandbox.world.traffic.blue === 100 ? 'api-green' : 'api-blue').length;
          if (idle !== (strategy === 'rolling' ? 0 : 3)) fault(`${idle} replicas are kept for a rollback`);
          if (!/ eyrie:shop-\S+ sha256:\S+ \S+ good eyrie:2\n$/.test(sandbox.read('.state/releases'))) {
            fault(`the release is not recorded: ${sandbox.read('.state/releases')}`);
          }
          const changed = sandbox.changed;
          const second = await sandbox.run('deploy', ...deployFlags('eyrie:2', strategy));
          if (second.status !== 0 || !second.stdout.includes('nothing to do')) fault(tell(second));
          if (sandbox.changed !== changed) fault('the second run has changed something');
        },
      ),
    ),
    checkServing(
      'O1: a change of settings, even of what Compose alone has started, or --restart, replaces the replicas of the same image',
      async (sandbox, fault) => {
        const names = () => sandbox.world.of('api-blue').map(({ name }) => name).join(' '); // prettier-ignore
        for (const change of ['settings', 'settings since compose up', '--restart']) {
          const before = names();
          // The model's engine and the scripts tell the time in seconds.
          await nextSecond();
          if (change.startsWith('settings')) sandbox.write('app.env', `LOG_LEVEL=debug # ${change}\n`);
          if (change === 'settings since compose up') sandbox.furnishState({});
          const flags = change.startsWith('--') ? [change] : [];
          const outcome = await sandbox.run('deploy', ...deployFlags('eyrie:1', 'rolling'), ...flags);
          if (outcome.status !== 0) fault(tell(outcome));
          expectServing(sandbox, 'eyrie:1', fault);
          if (before.split(' ').some((name) => names().split(' ').includes(name))) fault(`after ${change} some stayed`);
        }
      },
    ),
    checkServing(
      'O1: images are taken from their registry, and a tag that moves does not move a release',
      async (sandbox, fault) => {
        const { world } = sandbox;
        const ref = 'registry.example.org:5000/eyrie:main';
        const first = world.addImage(ref, '4.0.0', 'good', world.registry);
        await sandbox.run('deploy', ...deployFlags(ref, 'rolling'));
        expectServing(sandbox, ref, fault);
        world.addImage(ref, '5.0.0', 'good', world.registry);
        await sandbox.run('deploy', ...deployFlags(ref, 'rolling'));
        expectServing(sandbox, ref, fault);
        const outcome = await sandbox.run('rollback', ...NO_WAITING);
        if (outcome.status !== 0) fault(tell(outcome));
        if (world.of('api-green').some(({ image }) => image !== first)) fault('the rollback took the moved tag');
      },
    ),
    checkServing(
      'O2: rollback switches at once where the old replicas stand, and goes back one release each time',
      async (sandbox, fault) => {
        await sandbox.release('eyrie:2');
        await sandbox.release('eyrie:3', '--strategy', 'blue-green');
        let started = 0;
        sandbox.onChange = (_, { argv }) => {
          if (argv.includes('--scale') && sandbox.world.traffic.green === 100) started += 1;
        };
        await rollBackTo('eyrie:2', sandbox, fault);
        if (started > 0) fault('replicas were started before the traffic was switched');
        sandbox.onChange = () => {};
        await rollBackTo('eyrie:1', sandbox, fault);
        const none = await sandbox.run('rollback');
        if (none.status !== 1 || !none.stderr.includes('no good release before')) fault(tell(none));
        expectServing(sandbox, 'eyrie:1', fault);
      },
    ),
    checkServing('O2: rollback --to goes to any release, and nowhere else', async (sandbox, fault) => {
      await sandbox.release('eyrie:2');
      await sandbox.release('eyrie:3');
      const outcome = await sandbox.run('rollback', '--to', 'eyrie:1', ...NO_WAITING);
      if (outcome.status !== 0) fault(tell(outcome));
      expectServing(sandbox, 'eyrie:1', fault);
      const strange = await sandbox.run('rollback', '--to', 'eyrie:9');
      if (strange.status !== 1 || !strange.stderr.includes('no good release eyrie:9')) fault(tell(strange));
    }),
    checkServing(
      'O1: prune keeps the last three releases and what runs, and the images of others',
      async (sandbox, fault) => {
        sandbox.image('other:1', '1.0.0');
        for (const version of ['2', '3', '4', '5']) {
          sandbox.image(`eyrie:${version}`, `${version}.0.0`);
          const outcome = await sandbox.release(`eyrie:${version}`);
          if (outcome.status !== 0) fault(tell(outcome));
        }
        const here = [...sandbox.world.images.keys()].filter((ref) => !ref.includes('shop-')).sort();
        if (here.join(' ') !== 'eyrie:3 eyrie:4 eyrie:5 other:1') fault(`kept: ${here.join(' ')}`);
        const pinned = [...sandbox.world.images.keys()].filter((ref) => ref.includes('shop-')).length;
        if (pinned !== 3) fault(`${pinned} pinned images`);
      },
    ),
    checkServing(
      'O1: prune --idle stops the slot without traffic, and refuses while both have some',
      async (sandbox, fault) => {
        await sandbox.release('eyrie:2', '--strategy', 'blue-green');
        sandbox.world.traffic = { blue: 10, green: 90 };
        const refused = await sandbox.run('prune', '--idle');
        if (refused.status !== 1 || sandbox.world.of('api-blue').length !== 3) fault(tell(refused));
        sandbox.world.traffic = { blue: 0, green: 100 };
        const outcome = await sandbox.run('prune', '--idle');
        if (outcome.status !== 0 || sandbox.world.of('api-blue').length > 0) fault(tell(outcome));
        expectServing(sandbox, 'eyrie:2', fault);
      },
    ),
    checkServing('O4: status tells what runs, as a table and as JSON', async (sandbox, fault) => {
      await sandbox.release('eyrie:2', '--strategy', 'blue-green');
      const table = await sandbox.run('status');
      for (const line of [/^green +eyrie:shop-\S+ +2\.0\.0 +3\/3 +100 %$/m, /^lock +free$/m, /good +eyrie:2$/m]) {
        if (!line.test(table.stdout)) fault(`${String(line)} is not in\n${table.stdout}`);
      }
      const facts = JSON.parse((await sandbox.run('status', '--json')).stdout) as Facts;
      const { version, healthy, traffic } = facts.slots.green!;
      if (version !== '2.0.0' || healthy !== 3 || traffic !== 100) fault(JSON.stringify(facts.slots));
      if (facts.releases.length !== 2 || facts.unfinished !== null) fault(JSON.stringify(facts));
      sandbox.world.of('api-green')[0]!.image = sandbox.world.images.get('eyrie:3')!.id;
      const mixed = await sandbox.run('status');
      if (!mixed.stdout.includes('green: 1 of 3 replicas are of another image')) fault(mixed.stdout);
    }),
  ];
}

async function rollBackTo(ref: string, sandbox: Sandbox, fault: (text: string) => void): Promise<void> {
  const outcome = await sandbox.run('rollback', ...NO_WAITING);
  if (outcome.status !== 0) fault(tell(outcome));
  expectServing(sandbox, ref, fault);
}

function nextSecond(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_050));
}
