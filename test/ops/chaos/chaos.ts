/**
 * Kills what it can while alerts come in, then holds what was sent against what was received. Every decision follows
 * from the seed; the moments at which the machine meets them do not, so a replay is a close relative, not a copy.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseServer } from '../../harness/database-server.ts';
import { type Cleanup, openFolder } from '../../harness/processes.ts';
import { type Product, startProduct } from '../../harness/product.ts';
import type { CheckResult } from '../checks.ts';
import type { Facts } from './facts.ts';
import { judge, outstanding } from './judge.ts';
import { Killer } from './killer.ts';
import { listAlerts, listDeadLetters } from './listing.ts';
import { Load } from './load.ts';
import { ESCALATION_MS, People } from './people.ts';
import { FIRST, NEXT, type PeopleFacts } from './people-facts.ts';
import { awaited, judgePeople } from './people-judge.ts';
import { Random } from './random.ts';
import { Receiver } from './receiver.ts';
import { renderStories, renderSummary } from './summary.ts';

export interface ChaosOptions {
  seed: number;
  /** Each: a while of kills, then rest until all is told. */
  rounds: number;
  short: boolean;
}

/** No delivery for so long, and nothing outstanding: the run has come to rest. Longer than a dead worker's take-over. */
const QUIET_MS = 6_000;

export async function chaos({ seed, rounds, short }: ChaosOptions, cleanup: Cleanup): Promise<CheckResult[]> {
  const killMs = 20_000;
  const restLimitMs = short ? 60_000 : 120_000;
  const directory = await openFolder('chaos');
  let keepLogs = true;
  cleanup.add('its folder', () =>
    keepLogs ? say(`logs: ${directory}`) : rm(directory, { recursive: true, force: true }),
  );

  const receiver = new Receiver(new Random(seed, 'receiver'));
  cleanup.add('receiver', () => receiver.close());
  const inbox = new Receiver(new Random(seed, 'inbox of people'));
  cleanup.add('inbox of people', () => inbox.close());
  const files = await writeConfig(directory, await receiver.listen(), await inbox.listen());
  const database = await DatabaseServer.start(join(directory, 'postgres'));
  cleanup.add('PostgreSQL', () => database.stop());
  const product = await startProduct(
    {
      ...{ name: 'eyrie', databaseUrl: database.url, alertsConfig: files.alerts, directory, apis: 2, workers: 2 },
      // The receiver comes and goes, too; what waits for it is not what is measured here.
      settings: {
        NOTIFY_BREAKER_PAUSE: '200ms',
        NOTIFY_BREAKER_PAUSE_MAX: '1s',
        ESCALATIONS_CONFIG: files.escalations,
        RATE_LIMIT_API: 'none',
      },
    },
    cleanup,
  );

  const deaths = watchDeaths(product);
  const told = new ToldAlerts(receiver);
  const apis = product.apis.map(({ url }) => url);
  const load = new Load({ apis, ingestKey: product.ingestKey, seed, isTold: (id) => told.has(id) });
  const people = new People({
    apis,
    ingestKey: product.ingestKey,
    operatorKey: product.operatorKey,
    seed,
    isTold: (id) => inbox.deliveries.some((one) => one.deliveredAt !== undefined && one.alerts[0]?.id === id),
  });
  const peopleFacts: PeopleFacts = { stories: people.stories, refusals: people.refusals, deliveries: inbox.deliveries };
  const programs = {
    apis: product.apis.map(({ program }) => program),
    workers: product.workers.map(({ program }) => program),
  };
  const killer = new Killer({ ...programs, database, load, receiver }, seed);

  say(`seed ${seed}: two api, two worker, PostgreSQL with fsync; ${rounds} × ${killMs / 1_000} s of kills`);
  for (let round = 1; round <= rounds; round++) {
    receiver.calm = inbox.calm = false;
    const calm = new AbortController();
    const sending = Promise.all([load.run(round), people.run(round)]);
    const killing = killer.run(round, calm.signal);
    await sleep(killMs);
    calm.abort();
    await killing;
    load.stop();
    people.stop();
    await sending;
    receiver.calm = inbox.calm = true;
    const owed = () =>
      outstanding({ sent: load.sent, deliveries: receiver.deliveries }).length + awaited(peopleFacts).length;
    const restMs = await rest(owed, [receiver, inbox], restLimitMs);
    say(
      `round ${round}: ${load.sent.size} alerts sent, ${people.stories.length} stories of people, ` +
        `${killer.kills.length} kills, all told ${restMs} ms after the last`,
    );
  }

  const facts: Facts = { sent: load.sent, deliveries: receiver.deliveries, kills: killer.kills, deaths };
  const access = { url: apis[0]!, key: product.operatorKey };
  await people.readHistories();
  const verdicts = [
    ...judge(facts, await listAlerts(access), await listDeadLetters(access)),
    ...judgePeople(peopleFacts),
  ];
  say(renderSummary(facts, { answers: load.statuses, faults: receiver.faults }));
  say(renderStories(people.stories));
  keepLogs = verdicts.some(({ violations }) => violations.length > 0);
  if (keepLogs) say(`to replay: npm run test:ops -- chaos --seed ${seed} --rounds ${rounds}`);
  return verdicts.map(({ promise, violations }) => ({ name: promise, faults: violations }));
}

/** Every alert its own group, told at once; the receivers' hanging is cut short. */
async function writeConfig(directory: string, url: string, inbox: string) {
  const files = { alerts: join(directory, 'alertmanager.yml'), escalations: join(directory, 'escalations.yml') };
  await writeFile(
    files.alerts,
    `route:
  receiver: chaos
  group_by: ['...']
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 24h
  routes: [{ receiver: first, matchers: ['alertname=~"People|HeartbeatMissing"'] }]
receivers:
  - name: chaos
    webhook_configs: [{ url: '${url}/hook', timeout: 2s }]
  - name: first
    webhook_configs: [{ url: '${inbox}${FIRST}', timeout: 2s }]
  - name: next
    webhook_configs: [{ url: '${inbox}${NEXT}', timeout: 2s }]
`,
  );
  await writeFile(
    files.escalations,
    `escalations:
  - name: paged
    matchers: ['kind="paged"']
    steps: [{ after: ${ESCALATION_MS / 1_000}s, receiver: next }]
`,
  );
  return files;
}

/** Whether an alert has been delivered as firing, kept up to date with the receiver's growing record. */
class ToldAlerts {
  readonly #ids = new Set<string>();
  readonly #receiver: Receiver;
  #read = 0;

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  has(id: string): boolean {
    const { deliveries } = this.#receiver;
    for (; this.#read < deliveries.length; this.#read++) {
      const delivery = deliveries[this.#read]!;
      // Still being answered: look again next time.
      if (delivery.deliveredAt === undefined && delivery.at > Date.now() - 1_000) break;
      if (delivery.deliveredAt !== undefined) for (const alert of delivery.alerts) this.#ids.add(alert.id);
    }
    return this.#ids.has(id);
  }
}

/** Waits until nothing is owed and nothing arrives any more, or the limit has passed. Returns when all was told. */
async function rest(owed: () => number, receivers: readonly Receiver[], limitMs: number): Promise<number> {
  const started = Date.now();
  while (owed() > 0 && Date.now() - started < limitMs) await sleep(250);
  const toldMs = Date.now() - started;
  const lastMs = () => Date.now() - Math.max(...receivers.map(({ deliveries }) => deliveries.at(-1)?.at ?? 0));
  while (lastMs() < QUIET_MS && Date.now() - started < limitMs + QUIET_MS) await sleep(250);
  return toldMs;
}

/** A process that ends by itself is a fault, whatever it was that ended around it; the run goes on with a new one. */
function watchDeaths({ apis, workers }: Product): string[] {
  const deaths: string[] = [];
  for (const { program } of [...apis, ...workers]) {
    program.onUnexpectedExit = ({ status, signal }) => {
      deaths.push(`${program.name} ended with ${signal ?? `status ${status}`}\n${program.logTail(10)}`);
      program.spawn();
    };
  }
  return deaths;
}

function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`);
}
