/**
 * The fields of the operators' resources that the manifests use, each as its operator declares it: a misspelt one would be
 * dropped, or refused, by the cluster. A key that ends in ! has to be there.
 */
import { labelOf, type Manifest } from '../manifests.ts';

type Shape = 'string' | 'number' | 'boolean' | 'any' | readonly Shape[] | { readonly [key: string]: Shape };

const strings = { '*': 'string' } as const;
const quantities = { cpu: 'string', memory: 'string' } as const;
const policy = {
  stabilizationWindowSeconds: 'number',
  selectPolicy: 'string',
  policies: [{ 'type!': 'string', 'value!': 'number', 'periodSeconds!': 'number' }],
} as const;
const secretKey = { 'name!': 'string', 'key!': 'string' } as const;
const backupPlugin = { 'name!': 'string', isWALArchiver: 'boolean', parameters: strings } as const;

export const customResources: Readonly<Record<string, Shape>> = {
  'keda.sh/v1alpha1 ScaledObject': {
    'scaleTargetRef!': { 'name!': 'string', kind: 'string', apiVersion: 'string' },
    minReplicaCount: 'number',
    maxReplicaCount: 'number',
    pollingInterval: 'number',
    cooldownPeriod: 'number',
    fallback: { 'failureThreshold!': 'number', 'replicas!': 'number', behavior: 'string' },
    advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleUp: policy, scaleDown: policy } } },
    'triggers!': [{ 'type!': 'string', metricType: 'string', name: 'string', 'metadata!': strings }],
  },
  'external-secrets.io/v1 ExternalSecret': {
    refreshInterval: 'string',
    refreshPolicy: 'string',
    secretStoreRef: { kind: 'string', 'name!': 'string' },
    target: { name: 'string', creationPolicy: 'string', deletionPolicy: 'string' },
    data: [{ 'secretKey!': 'string', 'remoteRef!': { 'key!': 'string', property: 'string', version: 'string' } }],
    dataFrom: [{ extract: { 'key!': 'string', property: 'string' } }],
  },
  'monitoring.coreos.com/v1 ServiceMonitor': {
    'selector!': { matchLabels: strings },
    jobLabel: 'string',
    'endpoints!': [{ port: 'string', path: 'string', interval: 'string', scrapeTimeout: 'string' }],
  },
  'monitoring.coreos.com/v1 PrometheusRule': {
    groups: [
      {
        'name!': 'string',
        interval: 'string',
        'rules!': [
          {
            alert: 'string',
            record: 'string',
            'expr!': 'string',
            for: 'string',
            keep_firing_for: 'string',
            labels: strings,
            annotations: strings,
          },
        ],
      },
    ],
  },
  'postgresql.cnpg.io/v1 Cluster': {
    'instances!': 'number',
    imageName: 'string',
    bootstrap: {
      initdb: { database: 'string', owner: 'string', dataChecksums: 'boolean' },
      recovery: { source: 'string', database: 'string', owner: 'string', recoveryTarget: { targetTime: 'string' } },
    },
    externalClusters: [{ 'name!': 'string', plugin: backupPlugin }],
    postgresql: {
      synchronous: { 'method!': 'string', 'number!': 'number', dataDurability: 'string' },
      parameters: strings,
    },
    managed: {
      roles: [
        {
          'name!': 'string',
          ensure: 'string',
          login: 'boolean',
          bypassrls: 'boolean',
          inRoles: ['string'],
          passwordSecret: { 'name!': 'string' },
        },
      ],
    },
    primaryUpdateStrategy: 'string',
    storage: { size: 'string', storageClass: 'string' },
    walStorage: { size: 'string', storageClass: 'string' },
    resources: { requests: quantities, limits: quantities },
    affinity: { enablePodAntiAffinity: 'boolean', podAntiAffinityType: 'string', topologyKey: 'string' },
    plugins: [backupPlugin],
  },
  'postgresql.cnpg.io/v1 ScheduledBackup': {
    'schedule!': 'string',
    immediate: 'boolean',
    backupOwnerReference: 'string',
    'cluster!': { 'name!': 'string' },
    method: 'string',
    pluginConfiguration: { 'name!': 'string', parameters: strings },
  },
  'barmancloud.cnpg.io/v1 ObjectStore': {
    retentionPolicy: 'string',
    'configuration!': {
      'destinationPath!': 'string',
      endpointURL: 'string',
      s3Credentials: { accessKeyId: secretKey, secretAccessKey: secretKey },
      wal: { compression: 'string', maxParallel: 'number', encryption: 'string' },
      data: { compression: 'string', jobs: 'number', encryption: 'string' },
    },
  },
};

/** The groups that Kubernetes itself does not know. */
export const customGroups = [...new Set(Object.keys(customResources).map((kind) => kind.split('/')[0]!))];

export function shaped(objects: readonly Manifest[]): string[] {
  return objects.flatMap((object) => {
    if (!customGroups.includes(object.apiVersion.split('/')[0]!)) return [];
    const shape = customResources[`${object.apiVersion} ${object.kind}`];
    if (!shape) return [`${labelOf(object)}: no kind ${object.kind} in ${object.apiVersion}`];
    return compare(object.spec, shape, '.spec').map((fault) => `${labelOf(object)}${fault}`);
  });
}

function compare(value: unknown, shape: Shape, path: string): string[] {
  if (shape === 'any') return [];
  if (typeof shape === 'string')
    return typeof value === shape ? [] : [`${path}: wants a ${shape}, has ${JSON.stringify(value)}`];
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return [`${path}: wants a list`];
    return value.flatMap((each, index) => compare(each, shape[0] as Shape, `${path}[${index}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path}: wants an object`];
  const fields = shape as Readonly<Record<string, Shape>>;
  const missing = Object.keys(fields).filter((key) => key.endsWith('!') && !(key.slice(0, -1) in value));
  const found = Object.entries(value).flatMap(([key, each]) => {
    const field = fields[key] ?? fields[`${key}!`] ?? fields['*'];
    return field === undefined ? [`${path}.${key}: unknown field`] : compare(each, field, `${path}.${key}`);
  });
  return [...missing.map((key) => `${path} lacks ${key.slice(0, -1)}`), ...found];
}
