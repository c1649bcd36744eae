/**
 * A deploy is cut off at every step that changes something, before and after its effect. After Ctrl-C, TERM and a lost terminal
 * the last good release is back by itself; after SIGKILL it still serves, and the next run ends well.
 */
import type { CheckResult } from '../checks.ts';
import { expectServing, type Fault, inTurn, tell, tryOut } from './check.ts';
import { Sandbox } from './sandbox.ts';
import { deployFlags, NO_WAITING, STRATEGIES, type Strategy } from './strategies.ts';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGKILL: null } as const;
type CutOff = { step: number; signal: keyof typeof SIGNALS; when: 'before' | 'after' };

export async function interruptionChecks({ short }: { short: boolean }): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  // v2 after v1, so that there is something to go back to.
  const start = await Sandbox.open();
  await start.release('eyrie:1');
  await start.release('eyrie:2', '--strategy', 'blue-green');
  let taken = 0;
  for (const strategy of [...STRATEGIES, 'rollback'] as const) {
    const steps = await countSteps(strategy, start);
    const cutOffs: CutOff[] = [];
    for (let step = 1; step <= steps; step += 1) {
      const all = Object.keys(SIGNALS).flatMap((signal) =>
        (['before', 'after'] as const).map((when) => ({ step, signal: signal as keyof typeof SIGNALS, when })),
      );
      if (!short) cutOffs.push(...all);
      // Every other step; and as three has no divisor in common with eight, each signal in turn, before a step and after one.
      else if (step % 2 === 0) cutOffs.push(all[(taken++ * 3) % all.length]!);
    }
    const faults = (await inTurn(cutOffs.map((each) => () => cutOff(strategy, each, start)))).flat();
    if (steps < (strategy === 'rollback' ? 8 : 15))
      faults.push(`only ${steps} steps: the model has lost sight of the scripts`);
    const where = short ? `${cutOffs.length} of its ${steps} steps` : `each of its ${steps} steps`;
    results.push({ name: `O4: ${strategy} may be cut off at ${where}`, faults });
  }
  await start.close();
  return results;
}

type Change = Strategy | 'rollback';

function command(change: Change): [string, ...string[]] {
  return change === 'rollback' ? ['rollback', ...NO_WAITING] : ['deploy', ...deployFlags('eyrie:3', change)];
}

async function countSteps(change: Change, start: Sandbox): Promise<number> {
  let steps = 0;
  const { faults } = await tryOut(
    'steps',
    async (sandbox, fault) => {
      const outcome = await sandbox.run(...command(change));
      if (outcome.status !== 0) fault(tell(outcome));
      steps = sandbox.changed;
    },
    start,
  );
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return steps;
}

async function cutOff(change: Change, { step, signal, when }: CutOff, start: Sandbox): Promise<readonly string[]> {
  const name = `${signal} ${when} step ${step}`;
  const { faults } = await tryOut(
    name,
    async (sandbox, fault) => {
      let line = '';
      sandbox.onChange = (nth, { argv }) => {
        if (nth !== step) return undefined;
        line = argv.filter((arg) => !arg.includes('/')).join(' ');
        // All of the group, as a terminal does; TERM only the script, as `kill` does.
        const send = () => process.kill(signal === 'SIGTERM' ? run.pid : -run.pid, signal);
        if (when === 'after') return send;
        send();
        return undefined;
      };
      const run = sandbox.start(...command(change));
      const outcome = await run.ended;
      const told = (text: string) => fault(`(${line}) ${text}`);
      if (outcome.status !== SIGNALS[signal]) {
        // What is only tidied up after the release does not undo it.
        if (outcome.status !== 0) told(tell(outcome));
      }
      if (signal !== 'SIGKILL') expectOneRelease(sandbox, change, told);
      sandbox.onChange = () => {};
      const again = await sandbox.run(...command(change));
      const after = change === 'rollback' ? 'eyrie:1' : 'eyrie:3';
      if (again.status !== 0 && !(change === 'rollback' && again.stderr.includes('no good release before'))) {
        told(`the next run: ${tell(again)}`);
      }
      expectServing(sandbox, after, told);
    },
    start,
  );
  return faults.map((text) => `${name} ${text}`);
}

/** After a signal that can be caught: the old one, or the new one if it had come that far; never a mixture. */
function expectOneRelease(sandbox: Sandbox, change: Change, fault: Fault): void {
  const releases = sandbox.read('.state/releases').trimEnd().split('\n');
  const through = releases.length === 3 && / good /.test(releases[2]!);
  expectServing(sandbox, through ? (change === 'rollback' ? 'eyrie:1' : 'eyrie:3') : 'eyrie:2', fault);
}
