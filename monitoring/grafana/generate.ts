/**
 * npm run dashboards -- --check | --write
 *
 * Makes dashboards/*.json, which Grafana reads, from src/; with --check it fails where they are not what src/ says.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dashboards } from './src/dashboards.ts';
import { render } from './src/dashboard.ts';

const folder = new URL('dashboards/', import.meta.url);
const wanted = new Map(dashboards.map((each) => [`${each.uid.replace('eyrie-', '')}.json`, render(each)]));
mkdirSync(folder, { recursive: true });
const found = new Map(readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]));

if (process.argv.includes('--write')) {
  for (const name of found.keys()) if (!wanted.has(name)) rmSync(new URL(name, folder));
  for (const [name, text] of wanted) writeFileSync(new URL(name, folder), text);
} else {
  const stale = [...new Set([...wanted.keys(), ...found.keys()])].filter(
    (name) => wanted.get(name) !== found.get(name),
  );
  if (stale.length > 0) {
    process.stderr.write(`stale: ${stale.join(', ')}; npm run dashboards -- --write\n`);
    process.exitCode = 1;
  }
}
