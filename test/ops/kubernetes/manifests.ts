/** Kubernetes objects, as far as the rules look at them. */
import { parseAllDocuments } from 'yaml';

export type Labels = Readonly<Record<string, string>>;

export interface Selector {
  matchLabels?: Labels;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface Reference {
  name: string;
  optional?: boolean;
}

export interface Items {
  items?: { key: string; path: string }[];
}

export interface Probe {
  httpGet?: { path: string; port: string | number };
  tcpSocket?: { port: string | number };
  exec?: { command: string[] };
  initialDelaySeconds?: number;
  periodSeconds?: number;
  failureThreshold?: number;
}

export interface SecurityContext {
  runAsNonRoot?: boolean;
  runAsUser?: number;
  runAsGroup?: number;
  privileged?: boolean;
  allowPrivilegeEscalation?: boolean;
  readOnlyRootFilesystem?: boolean;
  fsGroup?: number;
  capabilities?: { drop?: string[]; add?: string[] };
  seccompProfile?: { type: string };
  procMount?: string;
  sysctls?: unknown[];
}

export interface Container {
  name: string;
  image: string;
  args?: string[];
  env?: {
    name: string;
    value?: string;
    valueFrom?: { configMapKeyRef?: Reference & { key: string }; secretKeyRef?: Reference & { key: string } };
  }[];
  envFrom?: { configMapRef?: Reference; secretRef?: Reference }[];
  ports?: { name: string; containerPort: number; hostPort?: number }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  lifecycle?: { preStop?: { sleep?: { seconds: number }; exec?: unknown } };
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  securityContext?: SecurityContext;
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
}

export interface Volume {
  name: string;
  emptyDir?: { sizeLimit?: string };
  configMap?: Reference & Items;
  secret?: { secretName: string; optional?: boolean } & Items;
  persistentVolumeClaim?: { claimName: string };
  projected?: { sources: { secret?: Reference & Items; configMap?: Reference & Items }[] };
}

export interface PodSpec {
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  enableServiceLinks?: boolean;
  terminationGracePeriodSeconds?: number;
  priorityClassName?: string;
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  securityContext?: SecurityContext;
  initContainers?: Container[];
  containers: Container[];
  volumes?: Volume[];
  topologySpreadConstraints?: { topologyKey: string; maxSkew: number; labelSelector: Selector }[];
}

export interface PodTemplate {
  metadata?: { labels?: Labels };
  spec: PodSpec;
}

export interface Peer {
  namespaceSelector?: Selector;
  podSelector?: Selector;
  ipBlock?: { cidr: string; except?: string[] };
}

export interface PolicyRule {
  from?: Peer[];
  to?: Peer[];
  ports?: { protocol?: string; port?: number | string }[];
}

export interface IngressRule {
  host: string;
  http: { paths: { path: string; backend: { service: { name: string; port: { name?: string; number?: number } } } }[] };
}

/** Of every kind at once: each object has the few of these that its kind has. */
export interface Spec {
  selector?: Selector & Labels;
  template?: PodTemplate;
  jobTemplate?: { spec: { template: PodTemplate } };
  strategy?: { type?: string; rollingUpdate?: { maxUnavailable?: number | string; maxSurge?: number | string } };
  serviceName?: string;
  volumeClaimTemplates?: { metadata: { name: string } }[];
  ttlSecondsAfterFinished?: number;
  ports?: { name: string; port: number; targetPort?: string | number }[];
  scaleTargetRef?: { kind?: string; name: string };
  minReplicas?: number;
  maxReplicas?: number;
  minReplicaCount?: number;
  maxReplicaCount?: number;
  metrics?: { type: string; resource?: { name: string }; external?: { metric: { name: string } } }[];
  triggers?: { type: string; metadata: Record<string, string> }[];
  behavior?: unknown;
  replicas?: number;
  maxUnavailable?: number | string;
  minAvailable?: number | string;
  podSelector?: Selector;
  policyTypes?: string[];
  ingress?: PolicyRule[];
  egress?: PolicyRule[];
  tls?: { hosts: string[]; secretName: string }[];
  rules?: IngressRule[];
  target?: { name?: string };
  jobLabel?: string;
  endpoints?: { port: string }[];
  data?: { secretKey: string }[];
  dataFrom?: unknown[];
  groups?: unknown[];
}

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Labels; annotations?: Labels };
  spec: Spec;
  data?: Record<string, string>;
  automountServiceAccountToken?: boolean;
}

/** @throws on what is no YAML */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0]) throw document.errors[0];
    const object = document.toJS() as Manifest | null;
    return object ? [{ ...object, spec: object.spec ?? {} }] : [];
  });
}

export const labelOf = ({ kind, metadata }: Manifest) => `${kind}/${metadata.name}`;

/** An object that makes pods, and what it makes. */
export interface Workload {
  object: Manifest;
  template: PodTemplate;
  labels: Labels;
  /** Init containers too. */
  containers: Container[];
}

export function workloads(objects: readonly Manifest[]): Workload[] {
  return objects.flatMap((object) => {
    const template = object.spec.template?.spec ? object.spec.template : object.spec.jobTemplate?.spec.template;
    if (!template) return [];
    const { initContainers = [], containers } = template.spec;
    return [
      { object, template, labels: template.metadata?.labels ?? {}, containers: [...initContainers, ...containers] },
    ];
  });
}

export const ofKind = (objects: readonly Manifest[], ...kinds: string[]) =>
  objects.filter(({ kind }) => kinds.includes(kind));

export function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'In') return value !== undefined && values.includes(value);
      throw new Error(`no rule knows the operator ${operator}`);
    })
  );
}

/** Bytes or CPUs, from `256Mi`, `500m`, `2`. */
export function quantity(text: string): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(m|[KMGT]i?|k)?$/.exec(text) ?? [];
  if (count === undefined) throw new Error(`no quantity: ${text}`);
  const powers: Record<string, number> = { m: 1e-3, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };
  const binary: Record<string, number> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };
  return Number(count) * (unit === '' ? 1 : (binary[unit] ?? powers[unit]!));
}

/** What a container finds in its environment, as far as ConfigMaps and the manifest give it. */
export function environmentOf(container: Container, objects: readonly Manifest[]): Record<string, string> {
  const maps = (container.envFrom ?? []).map(
    ({ configMapRef }) =>
      objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef?.name)?.data,
  );
  const own = (container.env ?? []).map(({ name, value = '' }) => [name, value] as const);
  return Object.assign({}, ...maps, Object.fromEntries(own)) as Record<string, string>;
}
