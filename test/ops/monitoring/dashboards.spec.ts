import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { panelQueries } from './panels.js';

const ROOT = join(import.meta.dirname, '../../..');
const MONITORING = join(ROOT, 'monitoring');
const read = (path: string) => readFileSync(join(MONITORING, path), 'utf8');
const yaml = <T>(path: string) => parse(read(path), { merge: true }) as T;

interface Source {
  type: string;
  uid: string;
}
interface Panel {
  type: string;
  title: string;
  description?: string;
  datasource?: Source;
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig?: { defaults: { unit?: string } };
  targets?: { datasource: Source; refId: string }[];
}
interface Dashboard {
  uid: string;
  title: string;
  refresh: string;
  time: { from: string };
  panels: Panel[];
}
interface Provisioned extends Source {
  name: string;
  jsonData?: Record<string, unknown>;
}
interface Compose {
  services: Record<
    string,
    { image: string; volumes?: string[]; secrets?: string[]; ports?: string[]; deploy?: object }
  >;
  secrets?: Record<string, { file: string }>;
}

const dashboards = readdirSync(join(MONITORING, 'grafana/dashboards')).map(
  (name) => JSON.parse(read(`grafana/dashboards/${name}`)) as Dashboard,
);
const sources = yaml<{ datasources: Provisioned[] }>('grafana/provisioning/datasources/datasources.yaml').datasources;
const composes = ['compose.yaml', 'compose.grafana.yaml', 'compose.logs.yaml', 'compose.traces.yaml'];
const secretsOf = new Set(composes.flatMap((path) => Object.keys(yaml<Compose>(path).secrets ?? {})));

describe('dashboards', () => {
  it('Q3: are what their sources say', () => {
    const { status, stderr } = spawnSync('node', ['monitoring/grafana/generate.ts', '--check'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });

  it('Q3: show what was promised, the last hour, every 5 seconds', async () => {
    expect(dashboards.map(({ uid }) => uid).sort()).toEqual(
      ['dependencies', 'hub', 'runtime', 'service', 'slo'].map((name) => `eyrie-${name}`),
    );
    for (const { refresh, time } of dashboards) expect([refresh, time.from]).toEqual(['5s', 'now-1h']);
    const queries = (await panelQueries()).map(({ expr }) => expr).join('\n');
    for (const metric of [
      'http_requests_total',
      'http_request_duration_seconds_bucket',
      'websocket_connections_active',
      'database_connections_active',
      'cache_hits_total',
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'alerts_active',
      'alert_delivery_latency_seconds_bucket',
      'jobs_queue_depth',
      'slo:availability_errors:ratio_rate3d',
    ])
      expect(queries).toContain(metric);
  });

  it.each(dashboards.map((each) => [each.title, each] as const))(
    'Q3: %s: each panel says what it shows',
    (_, board) => {
      const taken = new Set<string>();
      for (const { type, title, description, datasource, gridPos, fieldConfig, targets } of board.panels) {
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect([title, x < 24, taken.has(`${x},${y}`)]).toEqual([title, true, false]);
            taken.add(`${x},${y}`);
          }
        if (type === 'row') continue;
        expect(description).toMatch(/^[A-Z0-9].*\.$/);
        expect(fieldConfig?.defaults.unit).toBeTruthy();
        expect(sources).toContainEqual(expect.objectContaining(datasource!));
        expect(targets!.length).toBeGreaterThan(0);
        expect(new Set(targets!.map(({ refId }) => refId)).size).toBe(targets!.length);
      }
    },
  );
});

describe('Grafana', () => {
  const { services } = yaml<Compose>('compose.grafana.yaml');
  const mounts = services.grafana!.volumes!.map((volume) => volume.split(':'));

  it('Q1: finds its dashboards and data sources where they are mounted', () => {
    const { providers } = yaml<{ providers: { options: { path: string } }[] }>(
      'grafana/provisioning/dashboards/dashboards.yaml',
    );
    for (const { options } of providers) expect(mounts).toContainEqual(['./grafana/dashboards', options.path, 'ro']);
    expect(mounts).toContainEqual(['./grafana/provisioning', '/etc/grafana/provisioning', 'ro']);
  });

  it('Q1: links logs, traces and exemplars by sources that exist', () => {
    const uids = new Set(sources.map(({ uid }) => uid));
    const named = JSON.stringify(sources).matchAll(/"datasourceUid":"([^"]+)"/g);
    expect([...named].map(([, uid]) => uids.has(uid!))).toEqual([true, true, true]);
  });

  it('Q1: takes every password from a file that it is given', () => {
    const text = read('grafana/provisioning/datasources/datasources.yaml');
    for (const [, secret] of text.matchAll(/\$__file\{\/run\/secrets\/(\w+)\}/g))
      expect(services.grafana!.secrets).toContain(secret);
    expect(text).not.toMatch(/password: (?!'?\$__file)/i);
  });
});

describe('compose files of monitoring', () => {
  it.each(composes)('Q1: %s: images pinned, ports on loopback, limits set', (path) => {
    for (const [name, { image, ports = [], deploy }] of Object.entries(yaml<Compose>(path).services)) {
      expect([name, image]).toEqual([name, expect.stringMatching(/:v?\d+(\.\d+)*(-[\w.]+)?$/)]);
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
      expect([name, JSON.stringify(deploy)]).toEqual([name, expect.stringMatching(/"cpus".*"memory".*"pids"/)]);
    }
  });

  it.each(composes)('Q1: %s: what is mounted from here exists, and so do the secrets that it hands out', (path) => {
    for (const { volumes = [], secrets = [] } of Object.values(yaml<Compose>(path).services)) {
      for (const [source] of volumes.map((volume) => volume.split(':')))
        if (source!.startsWith('./')) expect([source, existsSync(join(MONITORING, source!))]).toEqual([source, true]);
      for (const secret of secrets) expect([...secretsOf]).toContain(secret);
    }
  });
});

describe('traces', () => {
  interface Collector {
    extensions: object;
    receivers: object;
    processors: object;
    exporters: object;
    service: {
      extensions: string[];
      pipelines: Record<string, Record<'receivers' | 'processors' | 'exporters', string[]>>;
    };
  }

  it.each(['otel/config.yaml', 'jaeger/config.yaml'])(
    'Q1: %s: every part is defined, and every definition used',
    (path) => {
      const { service, ...parts } = yaml<Collector>(path);
      expect(service.extensions.toSorted()).toEqual(Object.keys(parts.extensions).sort());
      for (const kind of ['receivers', 'processors', 'exporters'] as const) {
        const used = new Set(Object.values(service.pipelines).flatMap((pipeline) => pipeline[kind]));
        expect([...used].sort()).toEqual(Object.keys(parts[kind]).sort());
      }
    },
  );

  it('Q1: the collector limits its memory before all else', () => {
    const { service } = yaml<Collector>('otel/config.yaml');
    for (const { processors } of Object.values(service.pipelines)) expect(processors[0]).toBe('memory_limiter');
  });
});

describe('logs', () => {
  it('Q1: what is told to Elasticsearch and Kibana is JSON', () => {
    for (const name of ['policy', 'template', 'data-view', 'saved-search'])
      expect(() => JSON.parse(read(`logs/${name}.json`)) as unknown).not.toThrow();
    const search = JSON.parse(read('logs/saved-search.json')) as {
      attributes: { kibanaSavedObjectMeta: { searchSourceJSON: string } };
      references: { id: string; name: string }[];
    };
    const { indexRefName } = JSON.parse(search.attributes.kibanaSavedObjectMeta.searchSourceJSON) as Record<
      string,
      string
    >;
    const view = (JSON.parse(read('logs/data-view.json')) as { data_view: { id: string } }).data_view;
    expect(search.references).toEqual([expect.objectContaining({ id: view.id, name: indexRefName })]);
  });

  it('Q1: lines keep the fields that every line of ours has', () => {
    const shipper = read('logs/filebeat.yml');
    for (const field of [
      'message',
      'level',
      'logger',
      'service',
      'version',
      'environment',
      'request_id',
      'trace_id',
      'user_id',
    ])
      expect(shipper).toContain(`{ from: eyrie.${field}, to: `);
  });

  it('Q1: the containers write their names into their lines, by which the shipper knows them', () => {
    const production = readFileSync(join(ROOT, 'deploy/prod/compose.yaml'), 'utf8');
    expect(production).toMatch(/options: \{.*tag: '\{\{\.Name\}\}'/);
    expect(read('logs/filebeat.yml')).toContain('docker.attrs.tag');
  });
});
