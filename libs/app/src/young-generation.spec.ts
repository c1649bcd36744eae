import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const hooks = join(import.meta.dirname, '../../../test/harness/typescript-hooks.mjs');
const flags = ['--no-warnings', '--experimental-transform-types', '--allow-natives-syntax', '--import', hooks];

it('makes all that is new in the young generation, even where all of it has survived so far', async () => {
  const script = `
    import { holdYoungGeneration, letYoungGenerationGrow } from '${join(import.meta.dirname, 'young-generation.ts')}';
    holdYoungGeneration();
    letYoungGenerationGrow();
    const pair = (one, other) => [one, other];
    const kept = [];
    let where = 'young';
    for (let round = 0; round < 100 && where === 'young'; round += 1) {
      for (let count = 0; count < 20_000; count += 1) kept.push(pair(round, count));
      if (!%InYoungGeneration(pair(0, 0))) where = 'old';
    }
    console.log(where);`;
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '--input-type=module', '--eval', script]);
  expect(stdout.trim()).toBe('young');
});
