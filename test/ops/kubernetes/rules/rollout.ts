/** That an update, a scaling or a drained node costs no request and no job. */
import { parseDuration } from 'eyrie/config';
import {
  type Container,
  environmentOf,
  labelOf,
  type Manifest,
  ofKind,
  selects,
  type Workload,
  workloads,
} from '../manifests.ts';

const appOf = ({ args = [] }: Container) => args[0];
const apps = (objects: readonly Manifest[]) => workloads(ofKind(objects, 'Deployment'));

/** The grace lasts through preStop and the whole shutdown; what gets requests sleeps first, so that nobody sends it more. */
export function graceful(objects: readonly Manifest[]): string[] {
  return apps(objects).flatMap(({ object, template: { spec } }) =>
    spec.containers.flatMap((container) => {
      const settings = environmentOf(container, objects);
      const seconds = (name: string, otherwise: string) => (parseDuration(settings[name] ?? otherwise) ?? NaN) / 1_000;
      const preStop = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
      const shutdown = seconds('SHUTDOWN_TIMEOUT', '30s');
      const drain = seconds('DRAIN_DELAY', '5s') + seconds('REQUEST_DRAIN_TIMEOUT', '15s');
      const grace = spec.terminationGracePeriodSeconds ?? 30;
      const faults: string[] = [];
      if (!(grace > preStop + shutdown))
        faults.push(`a grace of ${grace} s ends before preStop ${preStop} s + shutdown ${shutdown} s`);
      if (!(drain <= shutdown)) faults.push(`draining for ${drain} s does not fit into a shutdown of ${shutdown} s`);
      if (appOf(container) === 'api' && preStop < 15) faults.push('stops before load balancers know that it does');
      return faults.map((fault) => `${labelOf(object)}: ${fault}`);
    }),
  );
}

/** A new pod is ready before an old one goes. */
export function rolling(objects: readonly Manifest[]): string[] {
  return ofKind(objects, 'Deployment').flatMap((object) => {
    const { type, rollingUpdate: { maxUnavailable, maxSurge } = {} } = object.spec.strategy ?? {};
    if (type === 'RollingUpdate' && maxUnavailable === 0 && Number.parseInt(String(maxSurge), 10) > 0) return [];
    return [`${labelOf(object)} goes below its number of pods in an update`];
  });
}

/** Spread over nodes and zones, by its own labels. */
export function spread(objects: readonly Manifest[]): string[] {
  return apps(objects).flatMap(({ object, template, labels }) => {
    const constraints = template.spec.topologySpreadConstraints ?? [];
    const lacks = ['kubernetes.io/hostname', 'topology.kubernetes.io/zone']
      .filter((key) => !constraints.some(({ topologyKey }) => topologyKey === key))
      .map((key) => `is not spread over ${key}`);
    const strange = constraints
      .filter(({ labelSelector }) => !selects(labelSelector, labels))
      .map(({ topologyKey }) => `counts other pods than its own over ${topologyKey}`);
    return [...lacks, ...strange].map((fault) => `${labelOf(object)} ${fault}`);
  });
}

const NAME_LIMIT = 63;

/** The Job of this very version migrates, each app of the same image waits for it, and the next version can have its own. */
export function migrated(objects: readonly Manifest[]): string[] {
  const jobs = workloads(ofKind(objects, 'Job')).filter(({ containers }) =>
    containers.some((c) => appOf(c) === 'migrate'),
  );
  const job = jobs[0];
  if (!job || jobs.length > 1) return [`${jobs.length} Jobs migrate`];
  const faults: string[] = [];
  const image = job.containers[0]!.image;
  const version = /:([^/:@]+)(@|$)/.exec(image)?.[1] ?? 'none';
  const name = job.object.metadata.name;
  if (!name.endsWith(`-${version}`))
    faults.push(`${name} is not named after its version ${version}: a Job cannot be changed`);
  if (name.length > NAME_LIMIT || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name))
    faults.push(`${name} cannot be the name of a Job`);
  if (!job.object.spec.ttlSecondsAfterFinished) faults.push(`${name} stays for ever`);
  if (readsConfigMap(job)) faults.push(`${name} depends on a ConfigMap, which may change within a version`);
  for (const { object, template } of apps(objects)) {
    const [waiting] = template.spec.initContainers ?? [];
    if (waiting?.args?.join(' ') !== 'migrate --wait')
      faults.push(`${labelOf(object)} does not wait for the migration`);
    const images = [...(template.spec.initContainers ?? []), ...template.spec.containers].map((each) => each.image);
    if (images.some((each) => each !== image)) faults.push(`${labelOf(object)} runs another image than the migration`);
  }
  return faults;
}

function readsConfigMap({ containers, template }: Workload): boolean {
  const read = containers.some(
    ({ envFrom = [], env = [] }) =>
      envFrom.some(({ configMapRef }) => configMapRef) || env.some(({ valueFrom }) => valueFrom?.configMapKeyRef),
  );
  return read || (template.spec.volumes ?? []).some(({ configMap }) => configMap);
}

/** Every app may lose a pod at a time to a drained node, and only then; where it scales, exactly one thing scales it. */
export function available(objects: readonly Manifest[]): string[] {
  const faults: string[] = [];
  const budgets = ofKind(objects, 'PodDisruptionBudget');
  const scalers = ofKind(objects, 'HorizontalPodAutoscaler', 'ScaledObject');
  for (const { object, labels } of apps(objects)) {
    const scaling = scalers.filter(({ spec }) => spec.scaleTargetRef?.name === object.metadata.name);
    if (scaling.length > 1) faults.push(`${labelOf(object)} is scaled by ${scaling.map(labelOf).join(' and ')}`);
    if (scaling.length > 0 && object.spec.replicas !== undefined)
      faults.push(`${labelOf(object)} sets replicas, which are scaled`);
    const least = scaling[0]?.spec.minReplicas ?? scaling[0]?.spec.minReplicaCount ?? object.spec.replicas ?? 1;
    const own = budgets.filter(({ spec }) => selects(spec.selector ?? {}, labels));
    if (own.length !== 1) faults.push(`${labelOf(object)} has ${own.length} PodDisruptionBudgets`);
    for (const { spec } of own) {
      const { maxUnavailable, minAvailable = 0 } = spec;
      const may = maxUnavailable ?? least - Number(minAvailable);
      if (Number.parseInt(String(may), 10) < 1)
        faults.push(`${labelOf(object)} can never be evicted: its node cannot be drained`);
      if (Number.parseInt(String(may), 10) >= Math.max(2, least))
        faults.push(`${labelOf(object)} may lose all ${least} pods at once`);
    }
  }
  for (const scaler of scalers) {
    const { minReplicas, maxReplicas, minReplicaCount, maxReplicaCount, scaleTargetRef } = scaler.spec;
    const [least, most] = [minReplicas ?? minReplicaCount ?? 0, maxReplicas ?? maxReplicaCount ?? 0];
    if (least < 2 || most <= least) faults.push(`${labelOf(scaler)} goes from ${least} to ${most}`);
    const metrics = (scaler.spec.metrics ?? []).map(
      ({ resource, external }) => resource?.name ?? external?.metric.name,
    );
    const triggers = (scaler.spec.triggers ?? []).map(({ type, metadata }) => metadata.query ?? type);
    const by = [...metrics, ...triggers].join(' ');
    if (!by.includes('cpu')) faults.push(`${labelOf(scaler)} does not look at CPU`);
    if (scaleTargetRef?.name === 'eyrie-worker' && !by.includes('jobs_queue_depth'))
      faults.push(`${labelOf(scaler)} does not look at the queue`);
  }
  return faults;
}
