import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientProcess } from './client-process.ts';
import type { IngestResult, LatencyResult } from './orders.ts';
import type { Row } from './report.ts';
import type { Side } from './sides.ts';
import { median } from './statistics.ts';

/** How long and how often is measured. */
export interface Pace {
  rounds: number;
  ingestSeconds: number;
  latencyRounds: number;
  latencySeconds: number;
  /** How many past alerts the flatness is measured with. */
  pastAlerts: number;
}

/** So long V8 goes on compiling anew. */
export const WARM_UP_SECONDS = 6;
/** Between two measurements, so that one side's last work is not charged to the next. */
const PAUSE_MS = 500;

interface IngestCase {
  name: string;
  batch: number;
  connections: number;
  fresh: boolean;
  /** At least this share of the peer's alerts per second. */
  atLeast: number;
}

export const INGEST_CASES = {
  resent: { name: 're-sent alerts, batches of 256', batch: 256, connections: 4, fresh: false, atLeast: 0.6 },
  new: { name: 'new alerts, batches of 256', batch: 256, connections: 4, fresh: true, atLeast: 0.4 },
  single: { name: 'single re-sent alerts, 8 connections', batch: 1, connections: 8, fresh: false, atLeast: 1 },
  crowd: { name: 'single re-sent alerts, 32 connections', batch: 1, connections: 32, fresh: false, atLeast: 1 },
} satisfies Record<string, IngestCase>;

export interface Sides {
  peer: Side | undefined;
  eyrie: Side;
  /** Eyrie over a database with a long past. */
  past?: Side | undefined;
  /** The least that could do the same. */
  bare?: Side | undefined;
}

/**
 * Rounds in turn, there and back (peer, ours, past; past, ours, peer; …), so that whatever else the machine does, and
 * what one side leaves to be written behind it, meets all sides alike.
 */
export async function runIngest(client: ClientProcess, test: IngestCase, sides: Sides, pace: Pace): Promise<Row[]> {
  const order = [sides.peer, sides.eyrie, sides.past, sides.bare].filter((side) => side !== undefined);
  const results = new Map<Side, IngestResult[]>(order.map((side) => [side, []]));
  if (!test.fresh) {
    for (const { target } of order) {
      await client.ingest({ ...test, target });
      await client.ingest({ ...test, target, seconds: WARM_UP_SECONDS });
    }
  }
  for (let round = 0; round < pace.rounds; round++) {
    for (const side of inTurn(order, round)) {
      results.get(side)?.push(await client.ingest({ ...test, target: side.target, seconds: pace.ingestSeconds }));
      await sleep(PAUSE_MS);
    }
  }
  const speed = (side: Side | undefined) =>
    side && median(results.get(side)!.map(({ alerts, seconds }) => alerts / seconds));
  const [peer, eyrie, past, bare] = [speed(sides.peer), speed(sides.eyrie)!, speed(sides.past), speed(sides.bare)];
  const refused = failuresOf([...results].flatMap(([side, all]) => all.map(({ failures }) => ({ side, failures }))));
  const ratio = peer && eyrie / peer;
  const rows: Row[] = [
    {
      name: test.name,
      unit: 'alerts/s',
      peer,
      eyrie,
      ratio,
      target: `≥ ${test.atLeast}×`,
      passed: refused ? false : atLeast(ratio, test.atLeast),
      remark: refused ?? (peer && bare ? `${sides.bare!.name}: ${(bare / peer).toFixed(2)}×` : undefined),
    },
  ];
  if (past !== undefined) {
    const slower = eyrie / past;
    rows.push({
      name: `the same after ${pace.pastAlerts.toLocaleString('en')} past alerts`,
      unit: 'alerts/s',
      eyrie: past,
      ratio: slower,
      target: '≤ 1.2× slower',
      passed: slower <= 1.2,
    });
  }
  return rows;
}

export const LATENCY_CASES: { rate: number; limits: { p50?: number; p99: number } }[] = [
  { rate: 100, limits: { p50: 10, p99: 30 } },
  { rate: 500, limits: { p99: 100 } },
];

/** POST to delivered webhook, each alert its own group, at a fixed rate whatever the answers do. */
export async function runLatency(client: ClientProcess, sides: Sides, pace: Pace): Promise<Row[]> {
  const rows: Row[] = [];
  const order = [sides.peer, sides.eyrie].filter((side) => side !== undefined);
  for (const { rate, limits } of LATENCY_CASES) {
    const results = new Map<Side, LatencyResult[]>(order.map((side) => [side, []]));
    for (const { target } of order) await client.latency({ target, rate, seconds: WARM_UP_SECONDS });
    for (let round = 0; round < pace.latencyRounds; round++) {
      for (const side of inTurn(order, round)) {
        results.get(side)?.push(await client.latency({ target: side.target, rate, seconds: pace.latencySeconds }));
        await sleep(PAUSE_MS);
      }
    }
    const of = (side: Side | undefined, figure: 'p50' | 'p99') =>
      side && median(results.get(side)!.map((result) => result[figure]));
    const missing = [...results].map(([{ name }, all]) => `${name} ${sum(all.map((result) => result.missing))}`);
    const complete = results.get(sides.eyrie)!.every((result) => result.missing === 0);
    const sent = sum(results.get(sides.eyrie)!.map((result) => result.sent));
    const refused = failuresOf([...results].flatMap(([side, all]) => all.map(({ failures }) => ({ side, failures }))));
    for (const figure of ['p50', 'p99'] as const) {
      const [peer, eyrie, limit] = [of(sides.peer, figure), of(sides.eyrie, figure)!, limits[figure]];
      rows.push({
        name: `POST to webhook at ${rate}/s, ${figure}`,
        unit: 'ms',
        peer,
        eyrie,
        ratio: peer && eyrie / peer,
        target: limit ? `≤ ${limit} ms` : 'nothing missing',
        passed: complete && !refused && (limit === undefined || eyrie <= limit),
        remark: refused ?? `missing of ${sent}: ${missing.join(', ')}`,
      });
    }
  }
  return rows;
}

function inTurn(order: readonly Side[], round: number): readonly Side[] {
  return round % 2 === 0 ? order : order.toReversed();
}

function atLeast(ratio: number | undefined, limit: number): boolean | undefined {
  return ratio === undefined ? undefined : ratio >= limit;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A figure made of refused requests is none: they are named beside it. */
function failuresOf(results: { side: Side; failures: Record<number, number> }[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { side, failures } of results) {
    for (const [status, count] of Object.entries(failures)) {
      const key = `${side.name} ${status === '0' ? 'lost connection' : `answered ${status}`}`;
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
  }
  const told = [...counts].map(([what, count]) => `${what} ${count} times`);
  return told.length > 0 ? told.join(', ') : undefined;
}
