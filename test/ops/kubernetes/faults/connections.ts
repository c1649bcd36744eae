import { ofKind } from '../manifests.ts';
import { api, container, drop, fault, get, podOf, spec, type Fault } from './plant.ts';

const REFERENCES = 'what is named is there';
const SELECTORS = 'what selects finds';
const NEEDED = 'NetworkPolicies let through what is needed';
const KEPT_OUT = 'NetworkPolicies keep out the rest';

/** In what names, selects or reaches something else. */
export const faultsOfConnections: readonly Fault[] = [
  fault(REFERENCES, 'a ConfigMap that is not there', (all) => drop(all, 'ConfigMap', 'eyrie-alerts')),
  fault(REFERENCES, 'a ConfigMap nobody reads', (all) => {
    for (const pod of [api(all), podOf(all, 'worker')])
      for (const each of [...pod.initContainers!, ...pod.containers]) delete each.envFrom;
  }),
  fault(
    REFERENCES,
    'a Secret nobody makes',
    (all) => (api(all).volumes![0]!.projected!.sources[0]!.secret!.name = 'eyrie-databse'),
  ),
  fault(
    REFERENCES,
    'a key that a Secret lacks',
    (all) => (api(all).volumes![0]!.projected!.sources[0]!.secret!.items![0]!.key = 'url'),
  ),
  fault(
    REFERENCES,
    'a secret in the environment',
    (all) => (container(all).env = [{ name: 'X', valueFrom: { secretKeyRef: { name: 'eyrie-keys', key: 'x' } } }]),
  ),
  fault(REFERENCES, 'a claim that is not there', (all) => drop(all, 'PersistentVolumeClaim', 'eyrie-backups')),
  fault(REFERENCES, 'an account that is not there', (all) => drop(all, 'ServiceAccount', 'eyrie-api')),
  fault(
    REFERENCES,
    'an account with tokens',
    (all) => delete get(all, 'ServiceAccount', 'eyrie-api').automountServiceAccountToken,
  ),
  fault(REFERENCES, 'a Secret in Git', (all) => (get(all, 'ConfigMap', 'eyrie-alerts').kind = 'Secret')),

  fault(
    SELECTORS,
    'a Deployment with the pods of another',
    (all) => (spec(all, 'Deployment', 'eyrie-api').selector = { matchLabels: { x: 'y' } } as never),
  ),
  fault(
    SELECTORS,
    'a Service without pods',
    (all) => (spec(all, 'Service', 'eyrie-api').selector = { x: 'y' } as never),
  ),
  fault(
    SELECTORS,
    'a Service that finds two apps',
    (all) => (spec(all, 'Service', 'eyrie-api').selector = { 'app.kubernetes.io/name': 'eyrie' } as never),
  ),
  fault(
    SELECTORS,
    'a Service port that no pod has',
    (all) => (spec(all, 'Service', 'eyrie-api').ports![0]!.targetPort = 'web'),
  ),
  fault(
    SELECTORS,
    'an Ingress that leads nowhere',
    (all) => (spec(all, 'Ingress', 'eyrie').rules![0]!.http.paths[0]!.backend.service.name = 'api'),
  ),
  fault(SELECTORS, 'an Ingress without TLS', (all) => delete spec(all, 'Ingress', 'eyrie-login').tls),
  fault(
    SELECTORS,
    'an Ingress with TLS for another host',
    (all) => (spec(all, 'Ingress', 'eyrie-login').tls![0]!.hosts = ['example.com']),
  ),
  fault(
    SELECTORS,
    'a scaler of nothing',
    (all) => (spec(all, 'HorizontalPodAutoscaler', 'eyrie-api').scaleTargetRef!.name = 'api'),
  ),
  fault(
    SELECTORS,
    'a policy about nobody',
    (all) => (spec(all, 'NetworkPolicy', 'worker-to-receivers').podSelector = { matchLabels: { x: 'y' } }),
  ),
  fault(
    'one namespace holds it all',
    'a stray object',
    (all) => (get(all, 'Service', 'eyrie-api').metadata.namespace = 'default'),
  ),
  fault(
    'one namespace holds it all',
    'a lax namespace',
    (all) => (get(all, 'Namespace', 'eyrie').metadata.labels = {}),
  ),

  fault(NEEDED, 'no DNS', (all) => drop(all, 'NetworkPolicy', 'dns')),
  fault(NEEDED, 'no way to PostgreSQL', (all) => drop(all, 'NetworkPolicy', 'to-postgres')),
  fault(NEEDED, 'no way to PostgreSQL for the migration', (all) =>
    spec(all, 'NetworkPolicy', 'to-postgres').podSelector!.matchExpressions![1]!.values!.splice(2, 1),
  ),
  fault(NEEDED, 'no way in', (all) => drop(all, 'NetworkPolicy', 'api-from-ingress')),
  fault(
    NEEDED,
    'a way in at another port',
    (all) => (spec(all, 'NetworkPolicy', 'api-from-ingress').ingress![0]!.ports![0]!.port = 8080),
  ),
  fault(NEEDED, 'no scrapes', (all) => drop(all, 'NetworkPolicy', 'metrics-from-prometheus')),
  fault(NEEDED, 'no notifications', (all) => drop(all, 'NetworkPolicy', 'worker-to-receivers')),
  fault(NEEDED, 'no notifications over IPv6', (all) =>
    spec(all, 'NetworkPolicy', 'worker-to-receivers').egress![0]!.to!.pop(),
  ),
  fault(KEPT_OUT, 'everything open', (all) => drop(all, 'NetworkPolicy', 'default-deny')),
  fault(
    KEPT_OUT,
    'nothing denied on the way in',
    (all) => (spec(all, 'NetworkPolicy', 'default-deny').policyTypes = ['Egress']),
  ),
  fault(KEPT_OUT, 'the api open to other namespaces', (all) =>
    spec(all, 'NetworkPolicy', 'api-from-ingress').ingress![0]!.from!.push({ namespaceSelector: {} }),
  ),
  fault(
    KEPT_OUT,
    'any pod of that name let in',
    (all) => delete spec(all, 'NetworkPolicy', 'metrics-from-prometheus').ingress![0]!.from,
  ),
  fault(KEPT_OUT, 'the metadata service', (all) => {
    const block = spec(all, 'NetworkPolicy', 'worker-to-receivers').egress![0]!.to![0]!.ipBlock!;
    block.except = block.except!.filter((each) => each !== '169.254.0.0/16');
  }),
  fault(
    KEPT_OUT,
    'private addresses for notifications',
    (all) => delete spec(all, 'NetworkPolicy', 'worker-to-receivers').egress![0]!.to![0]!.ipBlock!.except,
  ),
  fault(
    KEPT_OUT,
    'the whole of IPv6',
    (all) => (spec(all, 'NetworkPolicy', 'worker-to-receivers').egress![0]!.to![1]!.ipBlock!.cidr = '::/0'),
  ),
  fault(
    KEPT_OUT,
    'notifications from the api',
    (all) =>
      (spec(all, 'NetworkPolicy', 'worker-to-receivers').podSelector = {
        matchLabels: { 'app.kubernetes.io/name': 'eyrie' },
      }),
  ),
  fault(KEPT_OUT, 'Redis for everybody', (all) => (spec(all, 'NetworkPolicy', 'to-redis').podSelector = {})),

  fault('resources of operators have their fields', 'a field that KEDA does not know', (all) =>
    all.push({
      ...get(all, 'HorizontalPodAutoscaler', 'eyrie-worker'),
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      spec: { scaleTargetRef: { name: 'eyrie-worker' }, minReplicas: 2, triggers: [] },
    }),
  ),
  fault('resources of operators have their fields', 'a version that its operator does not have', (all) =>
    all.push({ ...ofKind(all, 'Service')[0]!, apiVersion: 'external-secrets.io/v1beta1', kind: 'ExternalSecret' }),
  ),
];
