/**
 * The manifests of deploy/k8s: every overlay, with every component, renders, is valid against the Kubernetes API (where its
 * definitions are at hand) and keeps the rules in rules/; faults planted into it are found; its alerting rules are sound; and
 * the pods of the trial run, in Docker, as the manifests say.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildImage, hasDocker, removeImage } from '../../harness/docker.ts';
import { type Cleanup, openFolder } from '../../harness/processes.ts';
import type { CheckResult } from '../checks.ts';
import { systemProgram } from '../system-program.ts';
import { checkAlertingRules } from './alerting.ts';
import { type Combination, combinations, nameOf } from './combinations.ts';
import { faults } from './faults/index.ts';
import { Copy, render, ROOT, run } from './kustomize.ts';
import { type Manifest, ofKind, parseManifests } from './manifests.ts';
import { customGroups } from './rules/custom-resources.ts';
import { judge } from './rules/index.ts';
import { trial } from './trial.ts';

/** Knows the API of one version of Kubernetes; not a part of this repository. */
const VALIDATOR = join(ROOT, '../shared/kubernetes/validate');

export async function kubernetes(options: { short: boolean }, cleanup: Cleanup): Promise<CheckResult[]> {
  await systemProgram('kubectl', ['version', '--client'], ['kubectl', 'kubernetes-client']);
  const folder = await openFolder('kubernetes');
  cleanup.add('its folder', () => rm(folder, { recursive: true, force: true }));
  const copy = await Copy.into(join(folder, 'k8s'));
  if (!existsSync(VALIDATOR)) process.stdout.write(`${VALIDATOR} is not here: the rules alone judge\n`);

  const results: CheckResult[] = [];
  const rendered = new Map<string, Manifest[]>();
  for (const combination of combinations) {
    const name = nameOf(combination);
    const { objects = [], faults: found } = await examine(copy, combination);
    rendered.set(name, objects);
    results.push({ name, faults: found });
  }
  results.push({ name: 'deploy/k8s is production', faults: await isProduction(copy) });
  results.push(await findsPlantedFaults(copy));

  if (!(await hasDocker())) throw new Error('no Docker engine, in which the pods of the trial would run');
  results.push(...(await checkAlertingRules(rendered.get('production + monitoring') ?? [], folder)));
  return [...results, ...(await tryTrial(copy, folder, options.short, cleanup))];
}

/** The short form leaves the backup out, whose image takes minutes to build. */
async function tryTrial(copy: Copy, folder: string, short: boolean, cleanup: Cleanup): Promise<CheckResult[]> {
  const volumes = join(folder, 'trial');
  await mkdir(volumes);
  const objects = parseManifests(await copy.render('trial', short ? [] : ['backup']));
  if (short) return trial({ objects, folder: volumes }, cleanup);
  const file = join(ROOT, 'deploy/backup/Dockerfile');
  const backupImage = await buildImage('eyrie-backup:kubernetes', { context: join(ROOT, 'deploy'), file });
  cleanup.add('the image of the backup', () => removeImage(backupImage));
  const settings = ofKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name.startsWith('eyrie-backup'));
  Object.assign(settings?.data ?? {}, { PGHOST: 'eyrie-postgres', PGSSLMODE: 'disable' });
  return trial({ objects, folder: volumes, backupImage }, cleanup);
}

async function examine(copy: Copy, combination: Combination): Promise<{ objects?: Manifest[]; faults: string[] }> {
  try {
    const text = await copy.render(combination.overlay, combination.with, combination.without);
    const objects = parseManifests(text);
    const broken = [...judge(objects)].flatMap(([rule, found]) => found.map((fault) => `${rule}: ${fault}`));
    return { objects, faults: [...(await invalid(text)), ...broken] };
  } catch (error) {
    return { faults: [String(error)] };
  }
}

async function invalid(text: string): Promise<string[]> {
  if (!existsSync(VALIDATOR)) return [];
  const allowed = customGroups.flatMap((group) => ['--allow', group]);
  const { status, stdout, stderr } = await run(VALIDATOR, allowed, text);
  return status === 0 ? [] : [`${stderr}${stdout}`.trim()];
}

async function isProduction(copy: Copy): Promise<string[]> {
  const [whole, production] = await Promise.all([render(copy.folder), copy.render('production')]);
  return whole === production ? [] : ['kubectl kustomize deploy/k8s is not overlays/production'];
}

/** The rules would be worth nothing if they did not bite. */
async function findsPlantedFaults(copy: Copy): Promise<CheckResult> {
  const sound = await copy.render('production');
  const missed = faults.flatMap(({ name, rule, plant }) => {
    const objects = parseManifests(sound);
    plant(objects);
    return judge(objects).get(rule)?.length ? [] : [`${rule}: ${name}`];
  });
  return { name: `each of ${faults.length} planted faults is found`, faults: missed };
}
