import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { headingsOf } from './coverage.ts';
import { knownMetrics, strangersIn } from './known-metrics.ts';
import { loadRules } from './rule-files.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const text = (path: string) => readFileSync(ROOT + path, 'utf8');
const runbook = text('docs/runbook.md');
const all = (pattern: RegExp) => [...new Set([...runbook.matchAll(pattern)].map(([, found]) => found!))];

describe('the runbook', () => {
  it('Q2: says of each alert what it means, where to look and what to do', () => {
    const pages = runbook.split(/^### /m).slice(1);
    expect(pages.length).toBe(headingsOf(runbook).length);
    for (const page of pages) {
      for (const part of ['**Meaning.**', '**Look.**', '**Do.**']) expect(page).toContain(part);
    }
  });

  it('Q2: asks Prometheus only for what there is', () => {
    const known = knownMetrics(loadRules().recordings);
    const queries = all(/`prom '([^`]+)'`/g);
    expect(queries.length).toBeGreaterThan(10);
    expect(queries.flatMap((query) => strangersIn(query, known).map((fault) => `${query}: ${fault}`))).toEqual([]);
  });

  it('Q2: names only scripts, files and settings that there are', () => {
    expect(
      all(/(?<![\w/])((?:deploy\/scripts|monitoring|docs)\/[\w./-]*\w)/g).filter((path) => !existsSync(ROOT + path)),
    ).toEqual([]);
    const settings = ['docs/configuration.md', 'deploy/prod/.env.example', 'monitoring/.env.example']
      .map(text)
      .join('\n');
    const named = all(/\b([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)\b/g);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !settings.includes(name))).toEqual([]);
  });

  it('Q2: links to its own headings', () => {
    const anchors = headingsOf(runbook).map((name) => name.toLowerCase());
    expect(all(/\]\(#(\w+)\)/g).filter((anchor) => !anchors.includes(anchor))).toEqual([]);
  });
});
