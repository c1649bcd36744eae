/** From a real fault to the person who is told of it, by the hub and by the witness. */
import { setTimeout as sleep } from 'node:timers/promises';
import { dockerOrThrow } from '../../harness/docker.ts';
import type { CheckResult } from '../checks.ts';
import type { Stack } from './stack.ts';
import { ask } from './traffic.ts';
import { until } from './until.ts';

const LIMIT_MS = 60_000;

/** A check that something comes within the limit. */
async function comes(name: string, ask: () => Promise<boolean>): Promise<CheckResult> {
  const tookMs = await until(ask, LIMIT_MS);
  if (tookMs !== undefined) process.stdout.write(`${name}: after ${(tookMs / 1000).toFixed(1)} s\n`);
  return { name, faults: tookMs === undefined ? [`not within ${LIMIT_MS / 1000} s`] : [] };
}

const told = (stack: Stack, path: string, alert: string, status: string) => async () =>
  (await stack.recorder.told(path, alert)).some(({ each, labels }) => each === status && !isOfOneReplica(labels));
const fires = (stack: Stack, alert: string) => async () =>
  (await stack.prometheus.alerts(alert)).some(({ state }) => state === 'firing');

/** Of all replicas being gone, and not of one that did not answer just before it was gone. */
const isOfOneReplica = ({ job, instance }: Record<string, string>) => job === 'api' && instance !== undefined;

/** The ids of the containers of a service. */
async function containers(stack: Stack, service: string): Promise<string[]> {
  return (await stack.production.ps(service)).map(({ ID }) => ID);
}

/** The database dies: clients get errors, and nobody but the witness can tell. When it is back, the hub tells of the errors. */
export async function errorsReachTheHub(stack: Stack): Promise<CheckResult[]> {
  const postgres = await containers(stack, 'postgres');
  await stack.recorder.forget();
  await dockerOrThrow(['kill', ...postgres]);
  const body = { name: 'Unheard', severity: 'low', message: 'the database is down' };
  const statuses: number[] = [];
  const burst = async () => {
    for (let round = 0; round < 15; round++)
      statuses.push(await ask(stack, 'POST', '/api/v1/alerts', { key: stack.ingestKey, body }));
  };
  await Promise.all([burst(), burst(), burst(), burst()]);
  const failed = statuses.filter((status) => status >= 500).length;
  const results = [
    {
      name: 'without its database the api answers 5xx, and never 2xx',
      faults: failed === statuses.length ? [] : [`statuses ${statuses.join(' ')}`],
    },
    await comes('HighErrorRate fires', fires(stack, 'HighErrorRate')),
    await comes('the witness tells that PostgreSQL is down', told(stack, '/witness', 'PostgresDown', 'firing')),
  ];
  await stack.recorder.forget();
  await dockerOrThrow(['start', ...postgres]);
  return [
    ...results,
    await comes('HighErrorRate reaches a receiver from the hub', told(stack, '/hub', 'HighErrorRate', 'firing')),
    await comes('the witness tells that PostgreSQL is back', told(stack, '/witness', 'PostgresDown', 'resolved')),
  ];
}

/** The api dies: the hub is silent, the witness is not. */
export async function downReachesTheWitness(stack: Stack): Promise<CheckResult[]> {
  const apis = await containers(stack, 'api-blue');
  await stack.recorder.forget();
  await dockerOrThrow(['kill', ...apis]);
  const results = [
    await comes(
      'ApplicationDown reaches a receiver from the witness',
      told(stack, '/witness', 'ApplicationDown', 'firing'),
    ),
    await comes('without a replica nothing is discovered, and nothing of it is stale', async () =>
      (await stack.prometheus.targets()).every(({ labels }) => labels.job !== 'api'),
    ),
  ];
  await stack.recorder.forget();
  await dockerOrThrow(['start', ...apis]);
  return [
    ...results,
    await comes('the witness tells that it is over', told(stack, '/witness', 'ApplicationDown', 'resolved')),
    await comes(
      'the hub takes alerts again',
      async () => (await stack.prometheus.receivers()).length === apis.length + 1,
    ),
  ];
}

/** Prometheus dies: the hub misses its Watchdog. */
export async function silenceReachesTheHub(stack: Stack): Promise<CheckResult[]> {
  const heartbeat = { period: '10s', grace: '5s', matchers: ['alertname="Watchdog"'], message: 'Prometheus is silent' };
  const path = '/api/v1/heartbeats/prometheus';
  await stack.recorder.forget();
  // The replicas may still be starting.
  const declare = async () => (await ask(stack, 'PUT', path, { key: stack.operatorKey, body: heartbeat })) === 200;
  const declared = (await until(declare, LIMIT_MS)) !== undefined;
  // Twice its time: it lives on what Prometheus sends.
  await sleep(30_000);
  const early = await stack.recorder.told('/hub', 'HeartbeatMissing');
  await stack.monitoring.runOrThrow(['kill', 'prometheus']);
  return [
    {
      name: 'the hub has a heartbeat that lives on Watchdog',
      faults: declared && early.length === 0 ? [] : [`declared: ${declared}; ${early.length} alarms`],
    },
    await comes('when Prometheus dies, the hub tells', told(stack, '/hub', 'HeartbeatMissing', 'firing')),
  ];
}
