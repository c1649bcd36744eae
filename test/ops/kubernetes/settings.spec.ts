import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parseAlertsConfig } from 'eyrie/alerts';
import { describeSettings, loadSettings } from 'eyrie/config';
import { apiSlices } from '../../../apps/api/src/settings.js';
import { workerSlices } from '../../../apps/worker/src/settings.js';
import { FakeCluster } from './fake-cluster.js';
import { ROOT } from './kustomize.js';

const K8S = join(ROOT, 'deploy/k8s');
const read = (path: string) => readFileSync(join(K8S, path), 'utf8');
const settingsOf = (path: string) => parseEnv(read(path)) as Record<string, string>;

/** What is added where the files alone do not say it: the rest of the pod. */
const tracing = { TRACING_ENABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.observability.svc:4317' };

describe('settings of the overlays', () => {
  let folder: string;
  let secrets: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eyrie-k8s-settings-'));
    secrets = join(folder, 'secrets');
    mkdirSync(secrets);
    const cluster = new FakeCluster(join(folder, 'cluster'));
    await cluster.secrets('--namespace', 'eyrie-trial', '--trial');
    // As the pods mount them: each key a file.
    for (const name of ['eyrie-database', 'eyrie-redis', 'eyrie-keys'])
      for (const [key, value] of Object.entries(cluster.contents[name]!)) writeFileSync(join(secrets, key), value);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const overlay of ['production', 'staging', 'trial']) {
    const environment = () => ({
      ...settingsOf('base/settings.env'),
      ...settingsOf(`overlays/${overlay}/settings.env`),
      ...tracing,
    });

    it(`M1: api and worker start with those of ${overlay} and the Secrets that the script makes`, () => {
      const env = { ...environment(), SECRETS_DIR: secrets };
      const api = loadSettings(apiSlices, { env, cwd: folder });
      const worker = loadSettings(workerSlices, { env: { ...env, DRAIN_DELAY: '0s' }, cwd: folder });
      expect(api.alerts.configFile).toBe('/etc/eyrie/alertmanager.yml');
      expect(api.metrics.port).toBe(9464);
      expect(worker.lifecycle.drainDelayMs).toBe(0);
      expect(worker.database.url).toContain('@eyrie-postgres:5432/eyrie');
      expect(api.secrets.encryptionKeys?.ids).toHaveLength(1);
    });

    it(`M1: those of ${overlay} are settings that there are`, () => {
      const known = [apiSlices, workerSlices].flatMap((slices) => describeSettings(slices, { env: {}, cwd: folder }));
      const names = new Set([...known.map(({ name }) => name), 'ENVIRONMENT', 'SECRETS_DIR']);
      expect(Object.keys(environment()).filter((name) => !names.has(name))).toEqual([]);
    });
  }

  for (const path of ['base', 'overlays/production', 'overlays/staging']) {
    it(`M1: alertmanager.yml of ${path} is one, given the receivers' secrets`, () => {
      const receivers = join(folder, 'receivers');
      mkdirSync(receivers, { recursive: true });
      const text = read(`${path}/alertmanager.yml`);
      for (const [, name] of text.matchAll(/\/run\/secrets\/receivers\/(\w+)/g))
        writeFileSync(join(receivers, name!), name!.endsWith('_url') ? 'https://hooks.example.com/T0' : 'a'.repeat(32));
      const config = parseAlertsConfig(text.replaceAll('/run/secrets/receivers', receivers), {
        baseDirectory: folder,
        file: path,
      });
      expect(config.receivers.size).toBeGreaterThan(0);
    });
  }

  it('M1: no overlay holds a secret', () => {
    for (const path of ['base', 'overlays/production', 'overlays/staging', 'overlays/trial']) {
      const names = Object.keys(settingsOf(`${path}/settings.env`));
      const secret = Object.values({ ...apiSlices, ...workerSlices })
        .flatMap(({ fields }) => Object.values<{ name: string; secret?: boolean }>(fields))
        .filter((setting) => setting.secret)
        .map(({ name }) => name);
      expect(secret.length).toBeGreaterThan(5);
      expect(names.filter((name) => secret.includes(name) || /_FILE$|PASSWORD|TOKEN/.test(name))).toEqual([]);
    }
  });
});
