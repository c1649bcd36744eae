/** The alerting rules in the manifests, by promtool: are they valid, and do those of the cluster fire when they should? */
import { cp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { docker } from '../../harness/docker.ts';
import type { CheckResult } from '../checks.ts';
import { type Manifest, ofKind } from './manifests.ts';

const PROMETHEUS = 'prom/prometheus:v3.5.3';
const TESTS = join(dirname(fileURLToPath(import.meta.url)), 'alerting.test.yaml');

export async function checkAlertingRules(objects: readonly Manifest[], folder: string): Promise<CheckResult[]> {
  const rules = ofKind(objects, 'PrometheusRule');
  const files = rules.map(({ metadata }) => `${metadata.name}.yaml`);
  await Promise.all(rules.map(({ spec }, index) => writeFile(join(folder, files[index]!), stringify(spec))));
  // Their texts are no matter for the tests of when they fire.
  const own = JSON.stringify(rules.find(({ metadata }) => metadata.name === 'eyrie-kubernetes')?.spec ?? {});
  const silent = JSON.stringify(JSON.parse(own, (key, value: unknown) => (key === 'annotations' ? undefined : value)));
  await writeFile(join(folder, 'rules.yaml'), silent);
  await cp(TESTS, join(folder, 'alerting.test.yaml'));
  const mount = ['--volume', `${folder}:/rules:ro`, '--workdir', '/rules', '--entrypoint', 'promtool'];
  const promtool = async (...args: string[]) => {
    const { status, stdout, stderr } = await docker(['run', '--rm', ...mount, PROMETHEUS, ...args]);
    return status === 0 ? [] : [`${stdout}${stderr}`.trim()];
  };
  return [
    { name: `${rules.length} PrometheusRules are there`, faults: rules.length > 1 ? [] : ['too few'] },
    { name: 'promtool finds their rules valid', faults: await promtool('check', 'rules', ...files) },
    { name: "the cluster's own fire when they should", faults: await promtool('test', 'rules', 'alerting.test.yaml') },
  ];
}
