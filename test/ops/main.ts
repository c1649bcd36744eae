/**
 * npm run test:ops -- NAME… | all [--short] [--twice] [--rounds N] [--seed S]
 *
 * Tests on real processes that take longer than `npm test` should. Ends with the count of what passed and failed. With
 * --twice, what fails is told and run once more: for machines that are busy with all else.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Cleanup, withCleanup } from '../harness/processes.ts';
import { type CheckResult, renderChecks } from './checks.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    twice: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seed: { type: 'string', default: String(randomInt(1, 1_000_000)) },
  },
});
const rounds = Number(options.rounds ?? (options.short ? 1 : 10));
const seed = Number(options.seed);

const tests: Record<string, () => Promise<CheckResult[]>> = {
  chaos: async () => {
    const { chaos } = await import('./chaos/chaos.ts');
    return withCleanup((cleanup) => chaos({ seed, rounds, short: options.short }, cleanup));
  },
  processes: async () => {
    const { processes } = await import('./processes/processes.ts');
    const count = options.rounds === undefined && !options.short ? 20 : rounds;
    return withCleanup((cleanup) => processes({ rounds: count }, cleanup));
  },
  prometheus: async () => {
    const { prometheus } = await import('./prometheus/prometheus.ts');
    return withCleanup(prometheus);
  },
  library: async () => {
    const { library } = await import('./library/library.ts');
    return withCleanup(library);
  },
  development: async () => {
    const { development } = await import('./development/development.ts');
    return withCleanup(development);
  },
  amtool: () => jestSpec('test/ops/amtool.spec.ts'),
  trace: () => jestSpec('test/e2e/trace-of-an-alert.spec.ts', { APPS: 'bundle' }),
  scripts: drill(async () => (await import('./scripts/scripts.ts')).scripts),
  image: drill(async () => (await import('./image/image.ts')).image),
  edge: drill(async () => (await import('./edge/edge.ts')).edge),
  deploy: drill(async () => (await import('./deploy/deploy.ts')).deploy),
  backup: drill(async () => (await import('./backup/backup.ts')).backup),
  monitoring: drill(async () => (await import('./monitoring/monitoring.ts')).monitoring),
  kubernetes: drill(async () => (await import('./kubernetes/kubernetes.ts')).kubernetes),
};

if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) usage('--rounds and --seed are whole numbers');
const names = positionals.includes('all') ? Object.keys(tests) : positionals;
if (names.length === 0) usage('which test?');
const strange = names.filter((name) => !(name in tests));
if (strange.length > 0) usage(`unknown: ${strange.join(', ')}`);

const results: CheckResult[] = [];
for (const name of names) {
  let outcome = await run(name);
  if (options.twice && outcome.some(isBroken)) {
    process.stdout.write(`\n${renderChecks(outcome.filter(isBroken))}, and once more:\n`);
    outcome = await run(name);
  }
  results.push(...outcome);
}
process.stdout.write(`\n${renderChecks(results)}\n`);
process.exitCode = results.some(isBroken) ? 1 : 0;

async function run(name: string): Promise<CheckResult[]> {
  process.stdout.write(`# ${name}\n`);
  // A test that cannot run at all has failed; the others still run.
  const outcome = await tests[name]!().catch((error: unknown) => [
    { name: 'it runs', faults: [error instanceof Error ? (error.stack ?? error.message) : String(error)] },
  ]);
  return outcome.map((result) => ({ ...result, name: `${name}: ${result.name}` }));
}

function isBroken({ faults }: CheckResult): boolean {
  return faults.length > 0;
}

type Drill = (options: { short: boolean }, cleanup: Cleanup) => Promise<CheckResult[]>;

function drill(load: () => Promise<Drill>): () => Promise<CheckResult[]> {
  return async () => {
    const run = await load();
    return withCleanup((cleanup) => run({ short: options.short }, cleanup));
  };
}

/** Jest leaves the specs of this folder to this program. */
async function jestSpec(path: string, env: Record<string, string> = {}): Promise<CheckResult[]> {
  const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  const args = [...jest, '--testPathIgnorePatterns=/node_modules/', '--runTestsByPath', path];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } });
  const [status] = (await once(child, 'exit')) as [number | null];
  return [{ name: path, faults: status === 0 ? [] : [`ended with status ${status}`] }];
}

function usage(fault: string): never {
  process.stderr.write(
    `${fault}\nnpm run test:ops -- NAME… | all [--short] [--twice] [--rounds N] [--seed S]\nnames: ${Object.keys(tests).join(' ')}\n`,
  );
  process.exit(2);
}
