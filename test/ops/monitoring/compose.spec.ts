import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const MONITORING = fileURLToPath(new URL('../../../monitoring/', import.meta.url));

interface Service {
  image: string;
  profiles: string[];
  restart?: string;
  read_only?: boolean;
  user?: string;
  cap_drop?: string[];
  security_opt?: string[];
  logging?: { options: { 'max-size': string } };
  ports?: string[];
  healthcheck?: object;
  deploy?: { resources: { limits: { cpus: string; memory: string; pids: number } } };
}

const { include, services } = parse(readFileSync(`${MONITORING}compose.yaml`, 'utf8'), { merge: true }) as {
  include: string[];
  services: Record<string, Service>;
};
const everything = Object.assign(
  { ...services },
  ...include.map(
    (file) => (parse(readFileSync(MONITORING + file, 'utf8'), { merge: true }) as { services: object }).services,
  ),
) as Record<string, Service>;
/** Nothing in their images can ask anything; Prometheus' alert ExporterDown does. */
const WITHOUT_SHELL = ['redis-exporter', 'nginx-exporter'];

describe('monitoring/compose.yaml', () => {
  it('Q1: has every part, each in a profile', () => {
    const byProfile = (profile: string) =>
      Object.keys(everything).filter((name) => everything[name]!.profiles?.includes(profile));
    expect(byProfile('metrics')).toEqual(
      expect.arrayContaining([
        ...['prometheus', 'alertmanager', 'grafana'],
        ...['node-exporter', 'redis-exporter', 'postgres-exporter', 'nginx-exporter'],
      ]),
    );
    expect(byProfile('logs')).toEqual(expect.arrayContaining(['elasticsearch', 'kibana', 'filebeat']));
    expect(byProfile('traces')).toEqual(expect.arrayContaining(['otel-collector', 'jaeger']));
    expect(Object.entries(everything).filter(([, { profiles }]) => profiles?.length !== 1)).toEqual([]);
  });

  it.each(Object.entries(everything))(
    'Q1: %s is pinned, and published on the loopback address at most',
    (_, service) => {
      // The stack's own Redis serves as a small system elsewhere.
      expect(service.image).toMatch(/:(v?\d+\.\d+\.\d+|8)$/);
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    },
  );

  it.each(Object.entries(services))('Q1: %s is confined', (name, service) => {
    expect(service).toMatchObject({
      restart: 'unless-stopped',
      read_only: true,
      user: expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/),
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      logging: { options: { 'max-size': expect.any(String) } },
      deploy: {
        resources: { limits: { cpus: expect.any(String), memory: expect.any(String), pids: expect.any(Number) } },
      },
    });
    if (!WITHOUT_SHELL.includes(name)) expect(service.healthcheck).toBeDefined();
  });

  it('Q1: Prometheus scrapes and keeps as was promised', () => {
    const config = parse(readFileSync(`${MONITORING}prometheus/prometheus.yml`, 'utf8')) as {
      global: object;
      scrape_configs: { job_name: string; scrape_interval?: string }[];
    };
    expect(config.global).toMatchObject({ scrape_interval: '15s', evaluation_interval: '15s' });
    const own = config.scrape_configs.filter(({ scrape_interval }) => scrape_interval === '10s');
    expect(own.map(({ job_name }) => job_name)).toEqual(['api', 'worker']);
    const command = (services.prometheus as unknown as { command: string[] }).command;
    expect(command).toEqual(
      expect.arrayContaining([
        '--storage.tsdb.retention.time=${PROMETHEUS_RETENTION:-200h}',
        '--web.enable-lifecycle',
        '--enable-feature=exemplar-storage',
      ]),
    );
  });

  it('Q1: .env.example names each variable of the compose files, with its default', () => {
    const example = readFileSync(`${MONITORING}.env.example`, 'utf8');
    const files = ['compose.yaml', ...include].map((file) => readFileSync(MONITORING + file, 'utf8')).join('\n');
    const variables = new Map(
      [...files.matchAll(/\$\{([A-Z_]+):-([^}]*)\}/g)].map(([, name, value]) => [name!, value!]),
    );
    expect(variables.size).toBeGreaterThan(10);
    expect([...variables].filter(([name, value]) => !example.includes(`#${name}=${value}\n`))).toEqual([]);
  });
});
