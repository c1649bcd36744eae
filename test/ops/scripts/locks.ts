/** One change of an environment at a time, and no lock that outlives its owner. */
import { hostname } from 'node:os';
import { readFileSync } from 'node:fs';
import { type Check, checkServing, expectServing, tell } from './check.ts';
import { expectFailure } from './failures.ts';
import { deployFlags } from './strategies.ts';

export function lockChecks(): Check[] {
  return [
    checkServing(
      'O1: of two deploys at once the second ends with one line that names the first',
      async (sandbox, fault) => {
        let second: Promise<Awaited<ReturnType<typeof sandbox.run>>> | undefined;
        sandbox.onChange = (nth) => {
          if (nth === 5) second = sandbox.run('deploy', ...deployFlags('eyrie:3', 'rolling'));
        };
        const first = await sandbox.run('deploy', ...deployFlags('eyrie:2', 'rolling'));
        expectFailure(
          await second!,
          75,
          /@\S+ holds the lock of \S+ \(pid \d+, deploy since .*\); nothing was changed/,
          fault,
        );
        if (first.status !== 0) fault(`the first: ${tell(first)}`);
        expectServing(sandbox, 'eyrie:2', fault);
      },
    ),
    checkServing(
      'O1: a lock that is left behind is taken over, and that is said; a live one is not',
      async (sandbox, fault) => {
        const later = Math.floor(Date.now() / 1_000) + 600;
        // The start of this process, as the kernel tells it: field 22, counted behind the name in brackets.
        const born = readFileSync('/proc/self/stat', 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')[19]!;
        const cases: [string, Record<string, string | number>, boolean][] = [
          ['of a process that is gone', { host: hostname(), pid: 2 ** 22 + 1, born: 1, expires: later }, true],
          [
            'of a number that another process has now',
            { host: hostname(), pid: process.pid, born: 1, expires: later },
            true,
          ],
          ['of another machine, past its time', { host: 'elsewhere', pid: 1, born: 1, expires: 1 }, true],
          ['of another machine', { host: 'elsewhere', pid: 1, born: 1, expires: later }, false],
          ['of a process that lives', { host: hostname(), pid: process.pid, born, expires: later }, false],
          ['of a file that was cut short', {}, true],
        ];
        for (const [name, fields, taken] of cases) {
          const lines = {
            owner: 'ann@elsewhere',
            verb: 'deploy',
            since: '2026-01-01T00:00:00Z',
            token: 'x',
            ...fields,
          };
          sandbox.write('.state/lock', Object.entries(lines).map(([key, value]) => `${key}=${value}\n`).join('')); // prettier-ignore
          const { status, stderr } = await sandbox.run('prune');
          if (status !== (taken ? 0 : 75)) fault(`a lock ${name}: status ${status}\n${stderr}`);
          if (taken !== stderr.includes('taking over a lock that was left behind')) fault(`a lock ${name}: ${stderr}`);
          if (taken && sandbox.exists('.state/lock')) fault(`a lock ${name} was not given back`);
        }
      },
    ),
    checkServing(
      'O1: who has lost the lock stops, and leaves what is there to whoever has it',
      async (sandbox, fault) => {
        sandbox.image('eyrie:sick', '9.0.0', 'good');
        let changes = 0;
        sandbox.onChange = (nth, { argv }) => {
          if (!argv.includes('--scale') || changes > 0) return;
          changes = nth;
          const later = Math.floor(Date.now() / 1_000) + 600;
          sandbox.write('.state/lock', `owner=bob@elsewhere\nhost=elsewhere\npid=1\nexpires=${later}\ntoken=bob\n`);
          // From here on it has to wait, and notices.
          sandbox.world.images.get('eyrie:sick')!.behaviour = 'sick';
        };
        const outcome = await sandbox.run('deploy', ...deployFlags('eyrie:sick', 'rolling'));
        expectFailure(outcome, 75, /the lock was lost: bob@elsewhere/, fault);
        if (sandbox.changed !== changes) fault('it has changed something afterwards');
        if (!sandbox.read('.state/lock').includes('token=bob')) fault('it took away the lock of the other');
        if (!sandbox.exists('.state/unfinished')) fault('what is unfinished was forgotten');
      },
    ),
  ];
}
