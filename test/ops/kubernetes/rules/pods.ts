/** What every pod keeps: the restricted Pod Security Standard and more, bounds, and an image that stays the same. */
import { type Container, labelOf, type Manifest, quantity, type Workload, workloads } from '../manifests.ts';

const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** kubernetes.io/docs/concepts/security/pod-security-standards, and a root file system that nobody can write to. */
export function restricted(objects: readonly Manifest[]): string[] {
  return workloads(objects).flatMap(({ object, template: { spec }, containers }) => {
    const pod = spec.securityContext ?? {};
    const faults: string[] = [];
    if (spec.hostNetwork || spec.hostPID || spec.hostIPC) faults.push('shares a namespace with its node');
    if (pod.sysctls) faults.push('sets sysctls');
    if (spec.automountServiceAccountToken !== false) faults.push('mounts a token');
    if (spec.enableServiceLinks !== false) faults.push('has service links in its environment');
    for (const volume of spec.volumes ?? []) {
      const type = Object.keys(volume).find((key) => key !== 'name') ?? 'none';
      if (!VOLUMES.includes(type)) faults.push(`volume ${volume.name}: ${type} is not restricted`);
      if (volume.emptyDir && !volume.emptyDir.sizeLimit) faults.push(`volume ${volume.name} has no sizeLimit`);
    }
    for (const { name, securityContext: own = {}, ports = [] } of containers) {
      const check = (kept: boolean, what: string) => kept || faults.push(`${name} ${what}`);
      check(!own.privileged && own.allowPrivilegeEscalation === false, 'may gain privileges');
      check(own.runAsNonRoot ?? pod.runAsNonRoot ?? false, 'may run as root');
      check((own.runAsUser ?? pod.runAsUser ?? 0) > 0, 'names no user but root');
      check(own.capabilities?.drop?.includes('ALL') ?? false, 'keeps capabilities');
      check(!own.capabilities?.add?.length, 'adds capabilities');
      check(
        /^(RuntimeDefault|Localhost)$/.test((own.seccompProfile ?? pod.seccompProfile)?.type ?? ''),
        'has no seccomp',
      );
      check(own.readOnlyRootFilesystem === true, 'can write to its root file system');
      check(own.procMount === undefined || own.procMount === 'Default', 'unmasks /proc');
      check(
        ports.every(({ hostPort }) => hostPort === undefined),
        'takes a port of its node',
      );
    }
    return faults.map((fault) => `${labelOf(object)}: ${fault}`);
  });
}

const BOUNDED = ['cpu', 'memory', 'ephemeral-storage'];

/** Each container asks for what it needs and has a bound above it. */
export function bounded(objects: readonly Manifest[]): string[] {
  return eachContainer(objects, ({ resources = {} }) =>
    BOUNDED.flatMap((name) => {
      const [request, limit] = [resources.requests?.[name], resources.limits?.[name]];
      if (request === undefined || limit === undefined)
        return [`${name} lacks ${request === undefined ? 'a request' : 'a limit'}`];
      return quantity(request) > quantity(limit) ? [`${name}: the request ${request} is above the limit ${limit}`] : [];
    }),
  );
}

/** By digest, or at least by a tag that says which; the product's own by digest wherever it comes from a registry. */
export function pinned(objects: readonly Manifest[]): string[] {
  return eachContainer(objects, ({ image }) => {
    const [, tag, digest] = /^[^@]*?(?::([^/:@]+))?(?:@(.*))?$/.exec(image) ?? [];
    if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest)) return [`${image}: no digest`];
    if (digest === undefined && tag === undefined) return [`${image} has neither tag nor digest`];
    if (digest === undefined && /^(latest|main|master|stable|edge|\d+)$/.test(tag!))
      return [`${image} may become another`];
    if (digest === undefined && image.startsWith('ghcr.io/example/')) return [`${image} is not pinned by digest`];
    return [];
  });
}

/** What serves for long says when it has started, whether it is alive, and whether it may be asked. */
export function probed(objects: readonly Manifest[]): string[] {
  const lasting = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
  return workloads(lasting).flatMap(({ object, template }) =>
    template.spec.containers.flatMap((container) =>
      (['startupProbe', 'livenessProbe', 'readinessProbe'] as const).flatMap((name) => {
        const where = `${labelOf(object)}: ${container.name}.${name}`;
        const probe = container[name];
        if (!probe) return [`${where} is missing`];
        const port = probe.httpGet?.port ?? probe.tcpSocket?.port;
        if (port === undefined) return probe.exec ? [] : [`${where} asks nothing`];
        return hasPort(container, port) ? [] : [`${where}: ${container.name} has no port ${port}`];
      }),
    ),
  );
}

/** Volumes that are mounted exist, and those that exist are mounted. */
export function mounted(objects: readonly Manifest[]): string[] {
  return workloads(objects).flatMap(({ object, template, containers }: Workload) => {
    const claims = (object.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
    const volumes = [...(template.spec.volumes ?? []).map(({ name }) => name), ...claims];
    const mounts = containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name));
    return [
      ...mounts
        .filter((name) => !volumes.includes(name))
        .map((name) => `${labelOf(object)} mounts ${name}, which it has not`),
      ...volumes.filter((name) => !mounts.includes(name)).map((name) => `${labelOf(object)} never mounts ${name}`),
    ];
  });
}

export function hasPort(container: Container, port: string | number): boolean {
  return (container.ports ?? []).some(({ name, containerPort }) => port === name || port === containerPort);
}

function eachContainer(objects: readonly Manifest[], look: (container: Container) => string[]): string[] {
  return workloads(objects).flatMap(({ object, containers }) =>
    containers.flatMap((container) =>
      look(container).map((fault) => `${labelOf(object)}: ${container.name}: ${fault}`),
    ),
  );
}
