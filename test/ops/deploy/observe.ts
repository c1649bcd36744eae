import { dockerOrThrow } from '../../harness/docker.ts';
import { eventually } from '../../harness/eventually.ts';
import { Client } from './client.ts';
import type { Release } from './images.ts';
import type { ProductionHost } from './production-host.ts';

const ASKED = 12;

/** The versions that answer behind Nginx, each once. */
export async function versionsServed({ access }: ProductionHost): Promise<string[]> {
  const client = new Client(access);
  const ask = { method: 'GET', path: '/monitoring/info', key: access.operatorKey } as const;
  const answers = await Promise.all(Array.from({ length: ASKED }, () => client.send(ask)));
  client.close();
  const versions = answers.map(({ status, body }) =>
    status === 200 ? (JSON.parse(body) as { version: string }).version : `an answer of ${status}`,
  );
  return [...new Set(versions)].sort();
}

/** Faults unless it alone answers. */
export async function servedAlone(host: ProductionHost, { version }: Release): Promise<string[]> {
  const served = await versionsServed(host);
  return served.length === 1 && served[0] === version ? [] : [`${version} should serve, and ${served.join(', ')} do`];
}

export type Slot = 'blue' | 'green';

export interface Replica {
  name: string;
  service: string;
  health: string;
}

/** The running containers of a release. */
export async function replicasOf({ compose }: ProductionHost, { id }: Release): Promise<Replica[]> {
  const filter = ['--filter', `label=com.docker.compose.project=${compose.project}`, '--filter', 'status=running'];
  const names = (await dockerOrThrow(['ps', ...filter, '--format', '{{.Names}}'])).split('\n').filter(Boolean);
  if (names.length === 0) return [];
  const format =
    '{{.Image}} {{.Name}} {{index .Config.Labels "com.docker.compose.service"}} {{with .State.Health}}{{.Status}}{{end}}';
  const lines = (await dockerOrThrow(['inspect', '--format', format, ...names])).split('\n');
  return lines
    .map((line) => line.split(' '))
    .filter(([image]) => image === id)
    .map(([, name = '', service = '', health = '']) => ({ name: name.slice(1), service, health }));
}

/** Waits until the release has a healthy replica of the api. */
export function firstReplica(host: ProductionHost, release: Release, limitMs = 120_000): Promise<Replica> {
  return eventually(async () => {
    const replicas = await replicasOf(host, release);
    return replicas.find(({ service, health }) => service.startsWith('api-') && health === 'healthy');
  }, limitMs);
}

/** What Nginx gives to each slot, in percent. */
export async function trafficNow({ compose }: ProductionHost): Promise<Record<Slot, number>> {
  const { stdout } = await compose.exec('nginx', ['traffic']);
  const share = (slot: Slot) => Number(new RegExp(`${slot}=(\\d+)`).exec(stdout)?.[1] ?? 0);
  return { blue: share('blue'), green: share('green') };
}

/** Waits until Nginx gives the slot so many percent of the traffic, or more. */
export function traffic(host: ProductionHost, slot: Slot, wanted: number, limitMs = 180_000): Promise<true> {
  return eventually(async () => (await trafficNow(host))[slot] >= wanted, limitMs);
}

/** The slot that has the most traffic. */
export async function activeSlot(host: ProductionHost): Promise<Slot> {
  const { blue, green } = await trafficNow(host);
  return green > blue ? 'green' : 'blue';
}

export const otherThan = (slot: Slot): Slot => (slot === 'blue' ? 'green' : 'blue');

/** What stands where it should not: whatever a deploy has left behind of a release that is not to serve. */
export async function leftBehind(host: ProductionHost, release: Release): Promise<string[]> {
  const replicas = await replicasOf(host, release);
  return replicas.map(({ name }) => `${name} of ${release.version} is left behind`);
}
