import { api, container, drop, fault, get, podOf, settings, spec, type Fault } from './plant.ts';

const RESTRICTED = 'pods meet the restricted standard';
const MIGRATION = 'versions wait for their migration';
const SCALING = 'drains and scaling leave enough';
const GRACE = 'the grace outlasts the shutdown';

/** In pods, their updates and their number. */
export const faultsOfPods: readonly Fault[] = [
  fault(RESTRICTED, 'a container that may run as root', (all) => delete api(all).securityContext!.runAsNonRoot),
  fault(RESTRICTED, 'the user root', (all) => (api(all).securityContext!.runAsUser = 0)),
  fault(
    RESTRICTED,
    'a writable root file system',
    (all) => (container(all).securityContext!.readOnlyRootFilesystem = false),
  ),
  fault(RESTRICTED, 'capabilities kept', (all) => delete container(all).securityContext!.capabilities),
  fault(RESTRICTED, 'privileges to gain', (all) => delete container(all).securityContext!.allowPrivilegeEscalation),
  fault(RESTRICTED, 'no seccomp profile', (all) => delete api(all).securityContext!.seccompProfile),
  fault(RESTRICTED, 'a lax init container', (all) => delete api(all).initContainers![0]!.securityContext),
  fault(RESTRICTED, 'the network of the node', (all) => (api(all).hostNetwork = true)),
  fault(RESTRICTED, 'a path of the node', (all) =>
    api(all).volumes!.push({ name: 'host', hostPath: { path: '/' } } as never),
  ),
  fault(RESTRICTED, 'a token in the pod', (all) => delete api(all).automountServiceAccountToken),
  fault(RESTRICTED, 'an unbounded /tmp', (all) => (api(all).volumes!.find(({ emptyDir }) => emptyDir)!.emptyDir = {})),
  fault(
    RESTRICTED,
    'a lax CronJob',
    (all) => delete spec(all, 'CronJob', 'eyrie-backup').jobTemplate!.spec.template.spec.securityContext,
  ),

  fault(
    'containers have requests and limits',
    'no memory limit',
    (all) => delete container(all).resources!.limits!['memory'],
  ),
  fault(
    'containers have requests and limits',
    'a request above its limit',
    (all) => (container(all).resources!.requests!['cpu'] = '3'),
  ),
  fault('images are pinned', 'the tag latest', (all) => (container(all).image = 'docker.io/library/redis:latest')),
  fault('images are pinned', 'no tag', (all) => (container(all).image = 'ghcr.io/example/eyrie')),
  fault('images are pinned', 'a tag without a digest', (all) => (container(all).image = 'ghcr.io/example/eyrie:1.0.0')),
  fault('images are pinned', 'half a digest', (all) => (container(all).image = 'ghcr.io/example/eyrie@sha256:abc')),
  fault('apps have probes', 'no readiness probe', (all) => delete container(all).readinessProbe),
  fault(
    'apps have probes',
    'a probe of a port that is not there',
    (all) => (container(all).livenessProbe!.httpGet!.port = 'web'),
  ),
  fault('volumes are there and used', 'a mount of nothing', (all) =>
    container(all).volumeMounts!.push({ name: 'gone', mountPath: '/x' }),
  ),
  fault('volumes are there and used', 'a volume nobody mounts', (all) =>
    api(all).volumes!.push({ name: 'idle', emptyDir: { sizeLimit: '1Mi' } }),
  ),

  fault(GRACE, 'a grace as long as preStop and shutdown', (all) => (api(all).terminationGracePeriodSeconds = 70)),
  fault(GRACE, 'a longer shutdown in the settings', (all) => (settings(all)['SHUTDOWN_TIMEOUT'] = '45s')),
  fault(GRACE, 'a drain that does not fit', (all) => (settings(all)['DRAIN_DELAY'] = '20s')),
  fault(GRACE, 'no preStop', (all) => delete container(all).lifecycle),
  fault(
    'updates surge',
    'an update that takes one away first',
    (all) => (spec(all, 'Deployment', 'eyrie-api').strategy!.rollingUpdate!.maxUnavailable = 1),
  ),
  fault(
    'updates surge',
    'all at once',
    (all) => (spec(all, 'Deployment', 'eyrie-worker').strategy = { type: 'Recreate' }),
  ),
  fault('pods are spread', 'pods on one node', (all) => api(all).topologySpreadConstraints!.shift()),
  fault(
    'pods are spread',
    'the pods of another app counted',
    (all) => (api(all).topologySpreadConstraints = podOf(all, 'worker').topologySpreadConstraints),
  ),

  fault(MIGRATION, 'no Job', (all) => drop(all, 'Job', 'eyrie-migration')),
  fault(
    MIGRATION,
    'one Job for all versions',
    (all) => (get(all, 'Job', 'eyrie-migration').metadata.name = 'eyrie-migration'),
  ),
  fault(
    MIGRATION,
    'a Job that reads settings',
    (all) => (spec(all, 'Job', 'eyrie-migration').template!.spec.containers[0]!.envFrom = container(all).envFrom),
  ),
  fault(MIGRATION, 'an app that does not wait', (all) => delete podOf(all, 'worker').initContainers),
  fault(
    MIGRATION,
    'an app of another version',
    (all) => (container(all).image = container(all).image.replace(/.$/, '1')),
  ),
  fault(SCALING, 'no budget', (all) => drop(all, 'PodDisruptionBudget', 'eyrie-worker')),
  fault(
    SCALING,
    'a budget that blocks every drain',
    (all) => (spec(all, 'PodDisruptionBudget', 'eyrie-api').maxUnavailable = 0),
  ),
  fault(SCALING, 'a minimum as high as the number of pods', (all) => {
    const budget = spec(all, 'PodDisruptionBudget', 'eyrie-api');
    delete budget.maxUnavailable;
    budget.minAvailable = 3;
  }),
  fault(
    SCALING,
    'a budget for all pods at once',
    (all) => (spec(all, 'PodDisruptionBudget', 'eyrie-api').maxUnavailable = 3),
  ),
  fault(
    SCALING,
    'two that scale one',
    (all) => (spec(all, 'HorizontalPodAutoscaler', 'eyrie-api').scaleTargetRef!.name = 'eyrie-worker'),
  ),
  fault(SCALING, 'replicas against the autoscaler', (all) => (spec(all, 'Deployment', 'eyrie-api').replicas = 3)),
  fault(SCALING, 'workers that do not see the queue', (all) =>
    spec(all, 'HorizontalPodAutoscaler', 'eyrie-worker').metrics!.pop(),
  ),
  fault(SCALING, 'no room to scale', (all) => (spec(all, 'HorizontalPodAutoscaler', 'eyrie-api').maxReplicas = 3)),
];
