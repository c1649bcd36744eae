import { describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run } from './kustomize.js';

const K8S = join(ROOT, 'deploy/k8s');
const GENERATOR = 'deploy/k8s/components/monitoring/generate.mjs';

describe('deploy/k8s', () => {
  it('M1: rules and dashboards are those of monitoring/', async () => {
    expect(await run(process.execPath, [GENERATOR, '--check'])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('M1: the README is short, and what it names is there', () => {
    const text = readFileSync(join(K8S, 'README.md'), 'utf8');
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(120);
    const paths = [...text.matchAll(/\bdeploy\/k8s\/[\w./-]*\w/g)].map(([path]) => path);
    const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link]) => join('deploy/k8s', link!));
    expect(paths.length).toBeGreaterThan(5);
    expect([...paths, ...links].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    for (const component of readdirSync(join(K8S, 'components'))) expect(text).toContain(`\`${component}\``);
  });
});
