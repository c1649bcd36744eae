/** Whatever an object names is there: nothing points to nowhere, and nothing lies about unused. */
import { type Items, labelOf, type Manifest, ofKind, selects, workloads } from '../manifests.ts';
import { hasPort } from './pods.ts';

/** Secrets are never in Git: what people, a vault or an operator has to bring. Without keys, any may be in it. */
const SECRETS: Readonly<Record<string, readonly string[] | undefined>> = {
  'eyrie-database': ['database_url'],
  'eyrie-redis': ['redis_url', 'redis.conf'],
  'eyrie-keys': undefined,
  'eyrie-receivers': undefined,
  'eyrie-backup': ['backup_key', 'username', 'password'],
  'eyrie-backup-s3': ['backup_s3'],
  'eyrie-postgres': ['password'],
  'eyrie-tls': ['tls.crt', 'tls.key'],
};

/** ConfigMaps, Secrets and their keys, claims, accounts. */
export function provided(objects: readonly Manifest[]): string[] {
  const maps = new Map(
    ofKind(objects, 'ConfigMap').map(({ metadata, data = {} }) => [metadata.name, Object.keys(data)]),
  );
  const made = ofKind(objects, 'Cluster').map(
    ({ metadata }) => [`${metadata.name}-app`, ['uri', 'username', 'password']] as const,
  );
  const secrets = new Map<string, readonly string[] | undefined>([...Object.entries(SECRETS), ...made]);
  const claims = new Set(ofKind(objects, 'PersistentVolumeClaim').map(({ metadata }) => metadata.name));
  const accounts = new Set(ofKind(objects, 'ServiceAccount').map(({ metadata }) => metadata.name));
  const used = new Set<string>();

  const faults = workloads(objects).flatMap(({ object, template: { spec }, containers }) => {
    const lacks: string[] = [];
    const need = (
      what: string,
      from: Map<string, readonly string[] | undefined>,
      name: string,
      keys: string[] = [],
    ) => {
      used.add(name);
      if (!from.has(name)) lacks.push(`no ${what} ${name}`);
      const has = from.get(name);
      for (const key of keys) if (has && !has.includes(key)) lacks.push(`${what} ${name} has no ${key}`);
    };
    const keysOf = ({ items = [] }: Items) => items.map(({ key }) => key);
    for (const { projected, secret, configMap, persistentVolumeClaim } of spec.volumes ?? []) {
      if (secret) need('Secret', secrets, secret.secretName, keysOf(secret));
      if (configMap) need('ConfigMap', maps, configMap.name, keysOf(configMap));
      if (persistentVolumeClaim && !claims.has(persistentVolumeClaim.claimName))
        lacks.push(`no claim ${persistentVolumeClaim.claimName}`);
      for (const source of projected?.sources ?? []) {
        if (source.secret) need('Secret', secrets, source.secret.name, keysOf(source.secret));
        if (source.configMap) need('ConfigMap', maps, source.configMap.name, keysOf(source.configMap));
      }
    }
    for (const { envFrom = [], env = [] } of containers) {
      for (const { configMapRef, secretRef } of envFrom) {
        if (configMapRef) need('ConfigMap', maps, configMapRef.name);
        if (secretRef) lacks.push(`Secret ${secretRef.name} is in the environment, where others can read it`);
      }
      for (const { name, valueFrom } of env) {
        if (valueFrom?.configMapKeyRef)
          need('ConfigMap', maps, valueFrom.configMapKeyRef.name, [valueFrom.configMapKeyRef.key]);
        if (valueFrom?.secretKeyRef) lacks.push(`${name} is in the environment, where others can read it`);
      }
    }
    const account = spec.serviceAccountName;
    if (account !== undefined && !accounts.has(account)) lacks.push(`no ServiceAccount ${account}`);
    return lacks.map((lack) => `${labelOf(object)}: ${lack}`);
  });
  const idle = ofKind(objects, 'ConfigMap')
    .filter(({ metadata }) => !used.has(metadata.name) && metadata.labels?.['grafana_dashboard'] === undefined)
    .map((map) => `${labelOf(map)} is used by nobody`);
  const tokens = ofKind(objects, 'ServiceAccount')
    .filter(({ automountServiceAccountToken }) => automountServiceAccountToken !== false)
    .map((account) => `${labelOf(account)} gives tokens to its pods`);
  const secret = ofKind(objects, 'Secret').map((each) => `${labelOf(each)} is in Git`);
  return [...faults, ...idle, ...tokens, ...secret];
}

/** Selectors find their pods, Services their ports, Ingresses their Services, scalers and monitors their targets. */
export function connected(objects: readonly Manifest[]): string[] {
  const pods = workloads(objects);
  const services = ofKind(objects, 'Service');
  const faults: string[] = [];
  const fault = (object: Manifest, what: string) => faults.push(`${labelOf(object)} ${what}`);

  for (const { object, labels } of pods) {
    const { selector } = object.spec;
    if (selector && !selects(selector, labels)) fault(object, 'does not select its own pods');
    if (object.kind === 'StatefulSet' && !services.some(({ metadata }) => metadata.name === object.spec.serviceName))
      fault(object, `has no Service ${object.spec.serviceName}`);
  }
  for (const service of services) {
    const found = pods.filter(({ labels }) => selects({ matchLabels: service.spec.selector }, labels));
    if (found.length !== 1) fault(service, `finds the pods of ${found.length} workloads`);
    for (const { name, targetPort } of service.spec.ports ?? [])
      for (const { containers } of found)
        if (!containers.some((container) => hasPort(container, targetPort ?? name)))
          fault(service, `finds no port ${targetPort ?? name}`);
  }
  for (const ingress of ofKind(objects, 'Ingress')) {
    for (const { host, http } of ingress.spec.rules ?? []) {
      if (!ingress.spec.tls?.some(({ hosts, secretName }) => hosts.includes(host) && secretName in SECRETS))
        fault(ingress, `serves ${host} without TLS`);
      for (const { path, backend } of http.paths) {
        const { name, port } = backend.service;
        const ports = services.find(({ metadata }) => metadata.name === name)?.spec.ports ?? [];
        if (!ports.some((each) => each.name === port.name || each.port === port.number))
          fault(ingress, `${path} leads nowhere: ${name}:${port.name ?? port.number}`);
      }
    }
  }
  for (const object of ofKind(objects, 'HorizontalPodAutoscaler', 'ScaledObject')) {
    const { kind = 'Deployment', name } = object.spec.scaleTargetRef ?? { name: 'nothing' };
    if (!ofKind(objects, kind).some(({ metadata }) => metadata.name === name))
      fault(object, `scales ${kind} ${name}, which is not there`);
  }
  for (const object of ofKind(objects, 'PodDisruptionBudget'))
    if (!pods.some(({ labels }) => selects(object.spec.selector ?? {}, labels))) fault(object, 'protects nothing');
  for (const object of ofKind(objects, 'NetworkPolicy'))
    if (!everyPod(objects).some((labels) => selects(object.spec.podSelector ?? {}, labels)))
      fault(object, 'is about no pod');
  for (const object of ofKind(objects, 'ServiceMonitor')) {
    const found = services.filter(({ metadata }) => selects(object.spec.selector ?? {}, metadata.labels ?? {}));
    if (found.length === 0) fault(object, 'finds no Service');
    for (const { spec, metadata } of found) {
      const ports = (spec.ports ?? []).map(({ name }) => name);
      if (!object.spec.endpoints?.every(({ port }) => ports.includes(port)))
        fault(object, `finds not all its ports in ${metadata.name}`);
      if (!metadata.labels?.[object.spec.jobLabel ?? '']) fault(object, `cannot name the job of ${metadata.name}`);
    }
  }
  return faults;
}

/** One namespace that enforces the restricted standard, everything in it, and no name twice. */
export function housed(objects: readonly Manifest[]): string[] {
  const CLUSTER_WIDE = ['Namespace', 'PriorityClass'];
  const [namespace, ...others] = ofKind(objects, 'Namespace');
  if (!namespace || others.length > 0) return [`${others.length + (namespace ? 1 : 0)} Namespaces`];
  const labels = namespace.metadata.labels ?? {};
  const lax = ['enforce', 'audit', 'warn'].filter(
    (mode) => labels[`pod-security.kubernetes.io/${mode}`] !== 'restricted',
  );
  const strays = objects.filter(
    ({ kind, metadata }) => !CLUSTER_WIDE.includes(kind) && metadata.namespace !== namespace.metadata.name,
  );
  const names = objects.map((object) => labelOf(object));
  return [
    ...lax.map((mode) => `${labelOf(namespace)} does not ${mode} the restricted standard`),
    ...strays.map((object) => `${labelOf(object)} is in namespace ${object.metadata.namespace ?? 'none'}`),
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name} is there twice`),
  ];
}

/** The labels of each kind of pod that will run, those that an operator makes too. */
export function everyPod(objects: readonly Manifest[]) {
  const databases = ofKind(objects, 'Cluster').map(({ metadata }) => ({ 'cnpg.io/cluster': metadata.name }));
  return [...workloads(objects).map(({ labels }) => labels), ...databases];
}
