/** What promtool and amtool say of the files as they are shipped, and whether the unit tests of the rules can fail. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { docker } from '../../harness/docker.ts';
import type { CheckResult } from '../checks.ts';
import { mutantsOf } from './mutants.ts';
import { loadRules } from './rule-files.ts';

const MONITORING = fileURLToPath(new URL('../../../monitoring', import.meta.url));
const PROMETHEUS = 'prom/prometheus:v3.5.3';
const ALERTMANAGER = 'prom/alertmanager:v0.33.1';

let runs = 0;

/** `docker run` of a shell command that sees monitoring/ as /m; the faults are its output, should it fail. */
async function inImage(image: string, command: string): Promise<string[]> {
  const name = `eyrie-monitoring-files-${process.pid}-${runs++}`;
  const run = ['run', '--rm', '--name', name, '--network', 'none', '--tmpfs', '/run/secrets', '--user', '0'];
  const shell = ['--volume', `${MONITORING}:/m:ro`, '--entrypoint', 'sh', image, '-ec', command];
  const { status, stdout, stderr } = await docker([...run, ...shell], { timeoutMs: 400_000 });
  // A client that was ended for its time leaves the container behind.
  if (status !== 0) await docker(['rm', '--force', name]);
  return status === 0 ? [] : [`${stdout}${stderr}`.trim() || `status ${status}`];
}

export async function staticChecks(): Promise<CheckResult[]> {
  return [
    {
      name: 'promtool check config',
      faults: await inImage(
        PROMETHEUS,
        'echo key >/run/secrets/ingest_key; promtool check config --lint=all --lint-fatal /m/prometheus/prometheus.yml',
      ),
    },
    {
      name: 'promtool check rules',
      faults: await inImage(PROMETHEUS, 'promtool check rules --lint=all --lint-fatal /m/prometheus/rules/*.yaml'),
    },
    {
      name: 'promtool test rules',
      faults: await inImage(PROMETHEUS, 'promtool test rules /m/prometheus/tests/*.yaml'),
    },
    {
      name: 'amtool check-config',
      faults: await inImage(ALERTMANAGER, 'amtool check-config /m/alertmanager/alertmanager.yml'),
    },
    { name: 'the witness tells what hurts the hub, and nothing else', faults: await routeFaults() },
  ];
}

async function routeFaults(): Promise<string[]> {
  const commands = loadRules().alerts.map(({ alert, labels = {} }) => {
    const receiver = labels.witness === 'true' && alert !== 'Watchdog' ? 'people' : 'nobody';
    const given = Object.entries({ ...labels, alertname: alert }).map(([name, value]) => `${name}=${value}`);
    return `amtool config routes test --config.file=/m/alertmanager/alertmanager.yml --verify.receivers=${receiver} ${given.join(' ')} >/dev/null || { echo ${alert} is not for ${receiver}; exit 1; }`;
  });
  return inImage(ALERTMANAGER, commands.join('\n'));
}

/** Breaks each alert in each way that its tests have to notice; the faults are the breaks that they did not. */
export async function testsBite(): Promise<CheckResult> {
  const folder = await mkdtemp(join(tmpdir(), 'eyrie-mutants-'));
  try {
    const rules = join(MONITORING, 'prometheus/rules');
    const files = new Map<string, string>();
    for (const file of await readdir(rules)) files.set(file, await readFile(join(rules, file), 'utf8'));
    const mutants = loadRules().alerts.flatMap((alert) => mutantsOf(alert, files.get(alert.file)!));
    const script: string[] = [];
    for (const [index, { file, text, key, what }] of mutants.entries()) {
      const place = join(folder, String(index));
      await mkdir(place);
      await cp(rules, join(place, 'rules'), { recursive: true });
      await writeFile(join(place, 'rules', file), text);
      await cp(join(MONITORING, 'prometheus/tests'), join(place, 'tests'), { recursive: true });
      const tests = `$(grep -lE "name: '?${key}(:|'|$)" /mutants/${index}/tests/*.yaml)`;
      script.push(`promtool test rules --run='^${key}(:|$)' ${tests} >/dev/null 2>&1 && echo '${key}: ${what}'`);
    }
    await writeFile(join(folder, 'run'), script.join('\n'));
    const name = `eyrie-mutants-${process.pid}`;
    const container = [
      'run',
      '--rm',
      '--name',
      name,
      '--network',
      'none',
      '--volume',
      `${folder}:/mutants:ro`,
      '--user',
      '0',
    ];
    const unnoticed = await docker([...container, '--entrypoint', 'sh', PROMETHEUS, '-c', '. /mutants/run; true'], {
      timeoutMs: 900_000,
    });
    await docker(['rm', '--force', name]);
    const faults = unnoticed.status === 0 ? unnoticed.stdout.split('\n').filter(Boolean) : [unnoticed.stderr];
    return { name: `the unit tests notice each of ${mutants.length} broken rules`, faults };
  } finally {
    await rm(folder, { recursive: true });
  }
}
