#!/usr/bin/env node
// Makes the Kubernetes forms of monitoring/: rules.yaml from prometheus/rules, dashboards.yaml from grafana/dashboards.
// With --check it writes nothing, and ends with 1 if one of them is stale.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { parse, stringify } from 'yaml';

const here = import.meta.dirname;
const monitoring = join(here, '../../../../monitoring');

// What speaks of Eyrie itself. Host, exporters and backups are others' in a cluster: see kubernetes-rules.yaml.
const ruleFiles = ['service', 'hub', 'runtime', 'dependencies', 'slo-recording', 'slo'];

/** The object is refused above 1 MiB; `kubectl apply` notes it in an annotation, which may have a quarter of that. */
const LIMIT = 250_000;

const rules = ruleFiles.map((name) => ({
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: { name: `eyrie-${name}` },
  spec: parse(readFileSync(join(monitoring, 'prometheus/rules', `${name}.yaml`), 'utf8')),
}));

const folder = join(monitoring, 'grafana/dashboards');
const dashboards = (existsSync(folder) ? readdirSync(folder) : [])
  .filter((file) => file.endsWith('.json'))
  .sort()
  .map((file) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `eyrie-dashboard-${basename(file, '.json')}`, labels: { grafana_dashboard: '1' } },
    data: { [`eyrie-${file}`]: JSON.stringify(JSON.parse(readFileSync(join(folder, file), 'utf8'))) },
  }));

for (const object of dashboards) {
  const size = JSON.stringify(object).length;
  if (size > LIMIT) throw new Error(`${object.metadata.name} has ${size} bytes, more than ${LIMIT}`);
}

const stale = [];
for (const [file, source, objects] of [
  ['rules.yaml', 'monitoring/prometheus/rules', rules],
  ['dashboards.yaml', 'monitoring/grafana/dashboards', dashboards],
]) {
  const head = `# Generated from ${source} by generate.mjs: do not edit.\n`;
  const body = objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n');
  const path = join(here, file);
  const text = await format(head + body, { ...(await resolveConfig(path)), filepath: path });
  const present = readText(path);
  if (present === text) continue;
  stale.push(file);
  if (!process.argv.includes('--check')) writeFileSync(path, text);
}
const checking = process.argv.includes('--check');
if (stale.length > 0) process.stdout.write(`${checking ? 'stale' : 'written'}: ${stale.join(', ')}\n`);
process.exitCode = checking && stale.length > 0 ? 1 : 0;

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
