/** What NetworkPolicies let through, worked out as a network plugin does, against what each app needs and what nobody should. */

import { BlockList, isIP } from 'node:net';
import { type Labels, type Manifest, ofKind, type Peer, selects, workloads } from '../manifests.ts';
import { everyPod } from './references.ts';

/** One end of a connection: a pod of the cluster, or an address elsewhere. */
export type End = { namespace: string; labels: Labels } | { address: string };

const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

export class Network {
  readonly #policies: Manifest[];
  readonly #namespace: string;

  constructor(objects: readonly Manifest[]) {
    this.#policies = ofKind(objects, 'NetworkPolicy');
    this.#namespace = ofKind(objects, 'Namespace')[0]?.metadata.name ?? 'default';
  }

  /** Whether a connection may be made, as both ends' policies have to agree on it. */
  allows(from: End, to: End, port: number, protocol: 'TCP' | 'UDP' = 'TCP'): boolean {
    return this.#lets('Egress', from, to, port, protocol) && this.#lets('Ingress', to, from, port, protocol);
  }

  /** A pod for which no policy speaks may do everything; else one that speaks for it has to allow it. */
  #lets(direction: 'Ingress' | 'Egress', pod: End, peer: End, port: number, protocol: string): boolean {
    if ('address' in pod || pod.namespace !== this.#namespace) return true;
    const policies = this.#policies.filter(
      ({ spec }) => spec.policyTypes?.includes(direction) && selects(spec.podSelector ?? {}, pod.labels),
    );
    if (policies.length === 0) return true;
    const rules = policies.flatMap(({ spec }) => (direction === 'Ingress' ? spec.ingress : spec.egress) ?? []);
    return rules.some(
      ({ from, to, ports }) =>
        (!ports || ports.some((each) => each.port === port && (each.protocol ?? 'TCP') === protocol)) &&
        (!(from ?? to) || (from ?? to)!.some((each) => this.#matches(each, peer))),
    );
  }

  #matches({ namespaceSelector, podSelector, ipBlock }: Peer, peer: End): boolean {
    if (ipBlock) return 'address' in peer && within(peer.address, ipBlock.cidr, ipBlock.except);
    if ('address' in peer) return false;
    const here = namespaceSelector
      ? selects(namespaceSelector, { [NAMESPACE_NAME]: peer.namespace })
      : peer.namespace === this.#namespace;
    return here && (!podSelector || selects(podSelector, peer.labels));
  }
}

function within(address: string, cidr: string, except: string[] = []): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const covers = (block: string) => {
    const [base, bits] = block.split('/') as [string, string];
    if ((isIP(base) === 6 ? 'ipv6' : 'ipv4') !== family) return false;
    const list = new BlockList();
    list.addSubnet(base, Number(bits), family);
    return list.check(address, family);
  };
  return covers(cidr) && !except.some(covers);
}

const PUBLIC = ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'];
const METADATA = ['169.254.169.254', 'fd00:ec2::254', '100.100.100.200', '168.63.129.16', '192.0.0.192'];
const INTERNAL = ['10.20.30.40', '172.20.0.1', '192.168.7.7', '127.0.0.1', 'fd12::1'];
const MANAGED = '10.20.30.40';

/** Each app reaches what it needs, and is reached by who needs it. */
export function letThrough(objects: readonly Manifest[]): string[] {
  const { check, pods, faults } = examine(objects, true);
  const { dns, controller, prometheus, collector } = elsewhere;
  for (const { name, end } of pods) {
    check(name, end, 'DNS', dns, 53);
    check(name, end, 'DNS', dns, 53, 'UDP');
    if (/api|worker|migration|backup/.test(name)) check(name, end, 'PostgreSQL', storeOf(objects, 'postgres'), 5432);
    if (/api|worker/.test(name)) {
      check(name, end, 'Redis', storeOf(objects, 'redis'), 6379);
      check('Prometheus', prometheus, name, end, 9464);
      if (settings(objects)['TRACING_ENABLED'] === 'true') check(name, end, 'the collector', collector, 4317);
    }
    if (name === 'api') {
      if (ofKind(objects, 'Ingress').length > 0) check('the Ingress controller', controller, name, end, 3000);
      if (ofKind(objects, 'ServiceMonitor').length > 0) check('Prometheus', prometheus, name, end, 3000);
    }
    if (name === 'worker')
      for (const address of PUBLIC) for (const port of [443, 465, 587]) check(name, end, address, { address }, port);
    if (name === 'backup') for (const address of PUBLIC) check(name, end, address, { address }, 443);
    if (name === 'database') {
      check(name, end, 'another instance', end, 5432);
      check('the operator', { namespace: 'cnpg-system', labels: {} }, name, end, 8000);
      check(name, end, 'the object store', { address: PUBLIC[0]! }, 443);
    }
  }
  return faults;
}

/** And nothing else: no metadata service, no private address that is not asked for, nobody from other namespaces. */
export function keepOut(objects: readonly Manifest[]): string[] {
  const { check, pods, faults } = examine(objects, false);
  const { controller, prometheus, stranger } = elsewhere;
  const namespace = ofKind(objects, 'Namespace')[0]!.metadata.name;
  const unlabelled = { namespace, labels: {} };
  for (const { name, end } of pods) {
    for (const port of [80, 443, 3000, 3001, 5432, 6379, 8000, 9464]) {
      check('a stranger', stranger, name, end, port);
      check('an unlabelled pod', unlabelled, name, end, port);
      check('an address outside', { address: PUBLIC[0]! }, name, end, port);
    }
    for (const address of METADATA)
      for (const port of [80, 443, 5432]) {
        if (address === 'fd00:ec2::254' && port === 5432) continue; // in a private network, as databases are
        check(name, end, address, { address }, port);
      }
    if (name !== 'database')
      for (const address of INTERNAL) for (const port of [80, 443, 8080]) check(name, end, address, { address }, port);
    if (!/worker|backup|database/.test(name))
      for (const address of PUBLIC) for (const port of [80, 443, 5432]) check(name, end, address, { address }, port);
    if (/migration|backup|database|postgres/.test(name)) check(name, end, 'Redis', storeOf(objects, 'redis'), 6379);
    if (name !== 'api') check('the Ingress controller', controller, name, end, 3000);
    check('Prometheus', prometheus, name, end, 5432);
    for (const other of pods.filter((each) => /api|worker|migration|backup/.test(each.name)))
      for (const port of [3000, 3001, 9464]) check(name, end, other.name, other.end, port);
  }
  return faults;
}

const elsewhere = {
  dns: { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
  controller: { namespace: 'ingress-nginx', labels: { 'app.kubernetes.io/name': 'ingress-nginx' } },
  prometheus: { namespace: 'monitoring', labels: { 'app.kubernetes.io/name': 'prometheus' } },
  collector: { namespace: 'observability', labels: { 'app.kubernetes.io/name': 'opentelemetry-collector' } },
  stranger: { namespace: 'other', labels: { 'app.kubernetes.io/name': 'eyrie', 'app.kubernetes.io/component': 'api' } },
} satisfies Record<string, End>;

function examine(objects: readonly Manifest[], wanted: boolean) {
  const network = new Network(objects);
  const namespace = ofKind(objects, 'Namespace')[0]?.metadata.name ?? 'default';
  const faults: string[] = [];
  const check = (
    fromName: string,
    from: End,
    toName: string,
    to: End,
    port: number,
    protocol: 'TCP' | 'UDP' = 'TCP',
  ) => {
    if (network.allows(from, to, port, protocol) !== wanted)
      faults.push(`${fromName} ${wanted ? 'cannot' : 'can'} reach ${toName} at ${protocol} ${port}`);
  };
  const pods = everyPod(objects).map((labels) => ({ name: nameOf(labels), end: { namespace, labels } }));
  return { check, pods, faults };
}

function nameOf(labels: Labels): string {
  if (labels['cnpg.io/cluster']) return 'database';
  return labels['app.kubernetes.io/component'] ?? labels['app.kubernetes.io/name'] ?? 'unnamed';
}

/** Where PostgreSQL or Redis is: in the cluster by a component, or a managed one in a private network. */
function storeOf(objects: readonly Manifest[], store: 'postgres' | 'redis'): End {
  const namespace = ofKind(objects, 'Namespace')[0]!.metadata.name;
  const own = workloads(objects).find(({ labels }) => labels['app.kubernetes.io/name'] === store);
  if (own) return { namespace, labels: own.labels };
  const cluster = store === 'postgres' ? ofKind(objects, 'Cluster').at(-1) : undefined;
  return cluster ? { namespace, labels: { 'cnpg.io/cluster': cluster.metadata.name } } : { address: MANAGED };
}

function settings(objects: readonly Manifest[]): Record<string, string> {
  return ofKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name.startsWith('eyrie-settings'))?.data ?? {};
}
