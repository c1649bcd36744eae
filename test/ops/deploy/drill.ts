import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFolder } from '../../harness/processes.ts';
import { outstanding } from '../chaos/judge.ts';
import type { CheckResult } from '../checks.ts';
import { Client } from './client.ts';
import type { Kill, RunFacts } from './facts.ts';
import type { Inbox } from './inbox.ts';
import { Journal } from './journal.ts';
import { behind, judgeRun } from './judge.ts';
import { deadLetters, exportAlerts } from './ledger.ts';
import { LiveClient } from './live-client.ts';
import { Load } from './load.ts';
import type { ProductionHost } from './production-host.ts';
import { Report } from './report.ts';
import type { Outcome } from './script-run.ts';

const LIVE_CLIENTS = 20;
const REST_LIMIT_MS = 60_000;

/** A host under load on which one thing after the other is done. Each is a phase, and has checks of its own. */
export class Drill {
  readonly host: ProductionHost;
  readonly kills: Kill[] = [];
  readonly report = new Report();
  readonly #inbox: Inbox;
  readonly #journal = new Journal();
  readonly #load: Load;
  readonly #live: LiveClient[];
  readonly #results: CheckResult[] = [];

  constructor(host: ProductionHost, inbox: Inbox) {
    this.host = host;
    this.#inbox = inbox;
    this.#load = new Load(host.access, this.#journal);
    this.#live = Array.from({ length: LIVE_CLIENTS }, (_, index) => new LiveClient(`client ${index + 1}`, host.access));
  }

  start(perSecond: number): void {
    this.#journal.begin('at rest');
    for (const client of this.#live) client.connect();
    this.#load.start(perSecond);
  }

  /** Does something and says what came of it; its faults are what it returns or throws. */
  async phase(name: string, work: () => Promise<string[] | void>): Promise<void> {
    const phase = this.#journal.begin(name);
    process.stdout.write(`${name}\n`);
    const faults = await work().catch((error: unknown) => [error instanceof Error ? error.message : String(error)]);
    this.#results.push({ name: `${name}: it ends as it must`, faults: faults ?? [] });
    const seconds = ((Date.now() - phase.startedAt) / 1_000).toFixed(1);
    const counts = `${phase.latenciesMs.length} requests, ${phase.failures.length} failed`;
    const failures = Object.entries(
      Object.groupBy(phase.failures, ({ what }) => what.replace(/[0-9a-f-]{32,36}/g, '…')),
    );
    const shown = failures.slice(0, 5).map(([what, all]) => `  ${all?.length} × ${what}`);
    process.stdout.write([`  ${seconds} s, ${counts}`, ...shown, ...(faults ?? []), ''].join('\n'));
  }

  /** Ends what it has begun, whatever has become of the run. */
  async stop(): Promise<void> {
    for (const client of this.#live) client.end();
    await this.#load.stop();
  }

  /** Ends the load, waits until everything was told, and judges the whole. */
  async judge(): Promise<CheckResult[]> {
    this.#journal.begin('to the end');
    await this.#load.stop();
    this.#journal.end();
    const facts: RunFacts = {
      phases: this.#journal.phases,
      kills: this.kills,
      sent: this.#load.pool.sent,
      deliveries: this.#inbox.deliveries,
      live: this.#live,
    };
    const events = await this.#rest(facts);
    for (const client of this.#live) client.end();
    const client = new Client(this.host.access, { limitMs: 60_000 });
    const key = this.host.access.operatorKey;
    const ledger = { alerts: await exportAlerts(client, key), deadLetters: await deadLetters(client, key), events };
    client.close();
    process.stdout.write(`${this.report.render(facts, ledger)}\n`);
    const results = [...this.#results, ...judgeRun(facts, ledger)];
    if (results.some(({ faults }) => faults.length > 0)) await this.#keepLogs();
    return results;
  }

  /** Runs a script to its end and notes how long it took. */
  async script(verb: string, ...args: string[]): Promise<Outcome> {
    const outcome = await this.host.script(verb, ...args).ended;
    this.report.noteScript(`${verb} ${args.join(' ')}`, outcome);
    return outcome;
  }

  async #keepLogs(): Promise<void> {
    const folder = await openFolder('deploy-logs');
    for (const service of ['nginx', 'api-blue', 'api-green', 'worker', 'postgres', 'redis', 'backup']) {
      await writeFile(join(folder, `${service}.log`), await this.host.compose.logs(service));
    }
    process.stdout.write(`logs: ${folder}\n`);
  }

  /** Waits until all is told to the receiver and to the live clients, or the limit has passed. Returns all events. */
  async #rest(facts: RunFacts): Promise<number[]> {
    const deadline = Date.now() + REST_LIMIT_MS;
    while (outstanding(facts).length > 0 && Date.now() < deadline) await sleep(250);
    const events = (await this.host.sql('SELECT id FROM alert_events ORDER BY id')).map(Number);
    while (behind(this.#live, events.at(-1) ?? 0).length > 0 && Date.now() < deadline) await sleep(250);
    return events;
  }
}
