/** What holds for every script of deploy/: shellcheck finds nothing, --help tells, and a wrong word is refused. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CheckResult } from '../checks.ts';
import { systemProgram } from '../system-program.ts';
import { tell, tryOut } from './check.ts';
import { SCRIPTS } from './sandbox.ts';

const DEPLOY = join(SCRIPTS, '..');
const run = promisify(execFile);

export function verbs(): string[] {
  return readdirSync(SCRIPTS).filter((name) => statSync(join(SCRIPTS, name)).isFile() && !name.includes('.'));
}

function shellScripts(): string[] {
  return readdirSync(DEPLOY, { recursive: true, encoding: 'utf8' })
    .map((path) => join(DEPLOY, path))
    .filter((path) => statSync(path).isFile())
    .filter((path) => path.endsWith('.sh') || /^#!.*\b(ba)?sh\b/.test(readFileSync(path, 'utf8').split('\n')[0]!));
}

export async function lintChecks(): Promise<CheckResult[]> {
  const version = await systemProgram('shellcheck', ['--version']);
  process.stdout.write(`shellcheck ${/version: (\S+)/.exec(version)?.[1]}\n`);
  const scripts = shellScripts().filter((path) => !path.startsWith(join(SCRIPTS, 'lib/')));
  const faults: string[] = [];
  for (const script of scripts) faults.push(...(await shellcheck([script])));
  // The library by way of the verb that uses all of it: alone its files know neither each other's variables nor their use.
  faults.push(...(await shellcheck(['--check-sourced', join(SCRIPTS, 'deploy')])));
  if (scripts.length < 8) faults.push(`only ${scripts.length} scripts were found`);
  return [
    { name: `O4: shellcheck finds nothing in the ${scripts.length} scripts of deploy/ and their library`, faults },
    await tryOut(
      'O4: every verb tells what it does on --help, and refuses what it does not know',
      async (sandbox, fault) => {
        for (const verb of verbs()) {
          const help = await sandbox.run(verb, '--help');
          if (help.status !== 0 || !help.stdout.includes(verb) || help.stdout.split('\n').length < 5) fault(tell(help));
          const strange = await sandbox.run(verb, '--sideways');
          if (strange.status !== 2 || !strange.stderr.includes('--sideways'))
            fault(`${verb} --sideways: ${tell(strange)}`);
        }
        if (sandbox.calls.length > 0) fault(`Docker was called: ${sandbox.calls[0]!.argv.join(' ')}`);
      },
    ),
  ];
}

async function shellcheck(args: readonly string[]): Promise<string[]> {
  const paths = ['--source-path', `SCRIPTDIR:SCRIPTDIR/lib:${SCRIPTS}lib`];
  try {
    await run('shellcheck', ['--external-sources', ...paths, '--format', 'gcc', ...args]);
    return [];
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
  }
}
