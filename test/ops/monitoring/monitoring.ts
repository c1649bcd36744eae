/**
 * Production and what watches it, on containers: every target is up, every rule and every panel has data, and the two loops
 * are closed: from a fault to a person through the hub, and, should the hub be the fault, through the witness.
 */
import { dockerOrThrow, hasDocker, productImage } from '../../harness/docker.ts';
import type { Cleanup } from '../../harness/processes.ts';
import type { CheckResult } from '../checks.ts';
import { exportersList } from './exporters-list.ts';
import { downReachesTheWitness, errorsReachTheHub, silenceReachesTheHub } from './loops.ts';
import { panelQueries } from './panels.ts';
import { loadRules } from './rule-files.ts';
import { type Stack, startStack, WATCHERS } from './stack.ts';
import { staticChecks, testsBite } from './static.ts';
import { someTraffic } from './traffic.ts';
import { until } from './until.ts';

/** Two replicas of the api, a worker, and what is scraped once. */
const TARGETS = { api: 2, worker: 1, postgres: 1, redis: 1, nginx: 1, node: 1, prometheus: 1, alertmanager: 1 };
const TRAFFIC_ROUNDS = 12;

export async function monitoring({ short }: { short: boolean }, cleanup: Cleanup): Promise<CheckResult[]> {
  if (!(await hasDocker())) throw new Error('no Docker engine answers');
  // What the files say does not need the stack, and waits for nothing: both go on at once.
  const files = staticChecks();
  files.catch(() => {});
  const stack = await startStack(await productImage(), cleanup);
  return [
    ...(await files),
    ...(await scrapes(stack)),
    ...(await queries(stack)),
    await confinement(stack),
    ...(await errorsReachTheHub(stack)),
    ...(await downReachesTheWitness(stack)),
    ...(await silenceReachesTheHub(stack)),
    ...(short ? [] : [await testsBite()]),
  ];
}

async function scrapes({ prometheus }: Stack): Promise<CheckResult[]> {
  let faults: string[] = [];
  await until(async () => {
    const targets = await prometheus.targets();
    faults = [
      ...targets
        .filter(({ health }) => health !== 'up')
        .map(({ labels, lastError }) => `${labels.job}: ${lastError || 'not scraped yet'}`),
      ...Object.entries(TARGETS).flatMap(([job, count]) => {
        const found = targets.filter(({ labels }) => labels.job === job).length;
        return found === count ? [] : [`${found} targets of ${job}, not ${count}`];
      }),
    ];
    return faults.length === 0;
  }, 40_000);
  const failures = await prometheus.value('sum(prometheus_sd_dns_lookup_failures_total)');
  const slots = await prometheus.series('count by (slot) (up{job="api",slot="blue"})');
  const receivers = await prometheus.receivers();
  const reloaded = await prometheus.reload();
  return [
    { name: 'every target is up', faults },
    {
      name: 'a slot without a replica is no failed look-up',
      faults: failures === 0 && slots === 1 ? [] : [`${failures} failed, ${slots} slots`],
    },
    { name: 'alerts go to both replicas and to the witness', faults: receivers.length === 3 ? [] : receivers },
    { name: 'the lifecycle API reloads the configuration', faults: reloaded === 200 ? [] : [`status ${reloaded}`] },
  ];
}

/** After some traffic: no rule fails, each panel's query has an answer, and the exporters serve what is on their list. */
async function queries(stack: Stack): Promise<CheckResult[]> {
  const { prometheus } = stack;
  for (let round = 0; round < TRAFFIC_ROUNDS; round++) await someTraffic(stack, round);
  const panels = await panelQueries();
  const { alerts, recordings } = loadRules();
  const unanswered = async () => {
    const faults: string[] = [];
    for (const { dashboard, panel, expr } of panels) {
      const series = await prometheus.series(expr).catch((error: Error) => error);
      if (series instanceof Error) faults.push(`${dashboard}: ${panel}: ${series.message}`);
      else if (series === 0) faults.push(`${dashboard}: ${panel}: no data from ${expr}`);
    }
    return faults;
  };
  let faults: string[] = [];
  await until(async () => {
    await someTraffic(stack, TRAFFIC_ROUNDS);
    faults = await unanswered();
    return faults.length === 0;
  }, 45_000);
  const empty: string[] = [];
  for (const { record } of recordings) if ((await prometheus.series(record)) === 0) empty.push(`${record} has no data`);
  const expressions = [...panels, ...alerts, ...recordings].map(({ expr }) => expr);
  return [
    { name: `each of ${panels.length} queries of the dashboards returns data`, faults },
    { name: `none of ${alerts.length + recordings.length} rules fails`, faults: await prometheus.rulesThatFail() },
    { name: `each of ${recordings.length} recorded series has data`, faults: empty },
    await exportersList(prometheus, expressions),
  ];
}

/** Nothing is reachable from outside of the host, and nothing can write to its own image. */
async function confinement({ monitoring }: Stack): Promise<CheckResult> {
  const faults: string[] = [];
  for (const { ID, Service, Publishers } of await monitoring.ps()) {
    const outside = (Publishers ?? []).filter(({ URL, PublishedPort }) => PublishedPort > 0 && URL !== '127.0.0.1');
    if (outside.length > 0) faults.push(`${Service} is published on ${outside[0]!.URL}`);
    const form =
      '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.RestartPolicy.Name}} {{gt .HostConfig.Memory 0}} {{.Config.User}}';
    const facts = await dockerOrThrow(['inspect', '--format', form, ID]);
    if (!/^true \[ALL\] unless-stopped true [1-9]\d*:\d+$/.test(facts)) faults.push(`${Service} runs as ${facts}`);
  }
  const running = new Set((await monitoring.ps()).map(({ Service }) => Service));
  return {
    name: 'the watchers are confined',
    faults: [...faults, ...WATCHERS.filter((name) => !running.has(name)).map((name) => `${name} does not run`)],
  };
}
