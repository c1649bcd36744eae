/** Bad releases and bad circumstances: the old version serves, one clear line says why, nothing is left behind. */
import { type Check, checkServing, expectServing, type Fault, tell } from './check.ts';
import { type Outcome, PLANTED, type Sandbox } from './sandbox.ts';
import { deployFlags, NO_WAITING, STRATEGIES, type Strategy } from './strategies.ts';
import type { Behaviour } from './world.ts';

/** What is wrong with an image, and what the last line says of it. */
const BAD: readonly (readonly [Behaviour, RegExp, number])[] = [
  ['refuses', /refuses the settings/, 78],
  ['bad-migration', /a migration failed; no replica was touched/, 1],
  ['crash', /rehearsal crashes at its start/, 1],
  ['sick', /rehearsal did not become healthy within 2 s/, 1],
  ['wrong', /healthy but does not answer rightly: GET \/api\/v1\/alerts\?limit=1 answered 500/, 1],
];

export function failureChecks(): Check[] {
  return [
    ...BAD.map(([behaviour, line, status]) =>
      checkServing(`O1: an image that is bad (${behaviour}) touches nothing that serves`, async (sandbox, fault) => {
        sandbox.image('eyrie:bad', '9.0.0', behaviour);
        const before = [...sandbox.world.containers.keys()].sort().join();
        expectFailure(await sandbox.run('deploy', ...deployFlags('eyrie:bad', 'rolling')), status, line, fault);
        expectServing(sandbox, 'eyrie:1', fault);
        if ([...sandbox.world.containers.keys()].sort().join() !== before) fault('containers were exchanged');
      }),
    ),
    ...STRATEGIES.map((strategy) =>
      checkServing(`O1: ${strategy} of an image that fails under traffic returns by itself`, (sandbox, fault) =>
        fails(sandbox, fault, strategy, 'errors', /10\.0 % of \d+ requests answered with 5xx/),
      ),
    ),
    checkServing('O3: a canary that is slower than the others is aborted, and the figure is named', (sandbox, fault) =>
      fails(sandbox, fault, 'canary', 'slow', /the canary at 10 % was aborted: p95 latency \d+ ms/),
    ),
    checkServing(
      'O1: an image that is healthy for a moment and then crashes goes no further than the rehearsal',
      async (sandbox, fault) => {
        sandbox.image('eyrie:bad', '9.0.0', 'fades');
        const outcome = await sandbox.run('deploy', ...deployFlags('eyrie:bad', 'rolling'), '--steady', '1s');
        expectFailure(outcome, 1, /rehearsal was healthy, but crashes/, fault);
        expectServing(sandbox, 'eyrie:1', fault);
      },
    ),
    ...STRATEGIES.map((strategy) =>
      checkServing(`O1: ${strategy} of an image whose workers crash returns by itself`, (sandbox, fault) =>
        fails(sandbox, fault, strategy, 'worker-fades', /worker-\d+ was healthy, but crashes/),
      ),
    ),
    checkServing(
      'O1: workers that have crashed before they are first looked at are told from good ones',
      (sandbox, fault) => fails(sandbox, fault, 'rolling', 'worker-stumbles', /worker-\d+ crashes at its start/),
    ),
    checkServing('O1: a failed backup stops the deploy before anything has changed', async (sandbox, fault) => {
      sandbox.world.backupFails = true;
      const outcome = await sandbox.run('deploy', ...deployFlags('eyrie:2', 'rolling'));
      expectFailure(outcome, 1, /the backup failed; nothing was changed/, fault);
      if (sandbox.calls.some(({ argv }) => argv.includes('migrate'))) fault('it migrated nevertheless');
      expectServing(sandbox, 'eyrie:1', fault);
      const skipped = await sandbox.run('deploy', ...deployFlags('eyrie:2', 'rolling'), '--skip-backup');
      if (skipped.status !== 0) fault(tell(skipped));
    }),
    checkServing('O1: what is missing is named, all at once, before anything has changed', async (sandbox, fault) => {
      sandbox.write('secrets/operator_key', '');
      sandbox.write('app.env', '');
      sandbox.world.dockerRoot = '/';
      sandbox.write('.env', `${sandbox.read('.env')}MIN_FREE_DISK=999999999\n`);
      const outcome = await sandbox.run('deploy', ...deployFlags('eyrie:2', 'rolling'));
      expectFailure(outcome, 78, /^deploy: 2 of the things that a deploy needs are missing/m, fault);
      for (const name of ['secrets/operator_key app.env', 'MIN_FREE_DISK']) {
        if (!outcome.stderr.includes(name)) fault(`${name} is not named`);
      }
      if (sandbox.changed > 0) fault('something was changed');
    }),
    checkServing('O1: an image that is nowhere is refused in one line', async (sandbox, fault) => {
      const outcome = await sandbox.run('deploy', ...deployFlags('registry.example.org/eyrie:9', 'rolling'));
      expectFailure(outcome, 1, /no image registry\.example\.org\/eyrie:9/, fault);
      expectServing(sandbox, 'eyrie:1', fault);
    }),
    checkServing('O1: the audit log has each step as JSON, who did it, and no secret', async (sandbox, fault) => {
      sandbox.image('eyrie:bad', '9.0.0', 'errors');
      const outcomes = [
        await sandbox.run('deploy', ...deployFlags('eyrie:2', 'canary')),
        await sandbox.run('deploy', ...deployFlags('eyrie:bad', 'rolling'), '--watch', '1s'),
        await sandbox.run('rollback', ...NO_WAITING),
      ];
      const log = sandbox.read('.state/audit.log');
      const entries = log.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
      const events = new Set(entries.map(({ event }) => event));
      for (const event of [
        'begun',
        'migrated',
        'replicas_started',
        'replicas_removed',
        'traffic',
        'canary_step',
        'released',
        'cutover_failed',
        'returned_to_good',
      ]) {
        if (!events.has(event)) fault(`no ${event} in the audit log`);
      }
      if (entries.some(({ time, actor, verb }) => !time || !actor || !verb))
        fault('an entry without time, actor or verb');
      const said = [
        log,
        sandbox.read('.state/releases'),
        ...outcomes.map(tell),
        ...sandbox.calls.map(({ argv }) => argv.join(' ')),
      ];
      if (said.some((text) => text.includes(PLANTED))) fault('a secret is in what was written or run');
    }),
  ];
}

async function fails(
  sandbox: Sandbox,
  fault: Fault,
  strategy: Strategy,
  behaviour: Behaviour,
  line: RegExp,
): Promise<void> {
  sandbox.image('eyrie:bad', '9.0.0', behaviour);
  const flags = ['--watch', '1s', '--steady', '1s', '--step-duration', '1s'];
  const outcome = await sandbox.run('deploy', ...deployFlags('eyrie:bad', strategy), ...flags);
  expectFailure(outcome, 1, line, fault);
  expectServing(sandbox, 'eyrie:1', fault);
  if (!/ failed eyrie:bad\n$/.test(sandbox.read('.state/releases'))) fault('the failed release is not recorded');
  const again = await sandbox.run('deploy', ...deployFlags('eyrie:2', strategy));
  if (again.status !== 0) fault(`afterwards a good one: ${tell(again)}`);
  expectServing(sandbox, 'eyrie:2', fault);
}

export function expectFailure(outcome: Outcome, status: number, line: RegExp, fault: Fault): void {
  const said = outcome.stderr.split('\n').filter((text) => /^deploy: (?!warning)/.test(text));
  if (outcome.status !== status || said.length !== 1 || !line.test(said[0]!)) {
    fault(`wanted status ${status} and one line like ${String(line)}, got ${tell(outcome)}`);
  }
}
