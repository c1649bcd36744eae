import { percentile } from '../../bench/statistics.ts';
import type { Phase, RunFacts } from './facts.ts';
import { accepted, failuresOf, type Ledger } from './judge.ts';
import { type Outcome, reasonIn } from './script-run.ts';

/** The run in figures. */
export class Report {
  noteScript(command: string, { status, signal, seconds, output }: Outcome): void {
    const how = signal ?? `status ${status}`;
    const reason = status === 0 ? '' : `: ${reasonIn(output, command.split(' ')[0]!) ?? 'without a reason'}`;
    const line = `  ${seconds.toFixed(1)} s  ${command.replace(/eyrie-drill-\d+:/g, '')}  ${how}${reason}`;
    process.stdout.write(`${line}\n`);
  }

  render(facts: RunFacts, { alerts, events }: Ledger): string {
    const { deliveries, live, sent } = facts;
    const delivered = deliveries.filter(({ deliveredAt }) => deliveredAt !== undefined);
    const notifications = new Set(delivered.map(({ key }) => key)).size;
    const connections = live.reduce((sum, client) => sum + client.connections, 0);
    const seen = live.reduce((sum, client) => sum + client.seen.length, 0);
    return [
      renderPhases(facts),
      '',
      `alerts         ${accepted(sent)} accepted, ${alerts.length} stored`,
      `notifications  ${notifications} delivered by ${deliveries.length} requests`,
      `live events    ${events.length} written, ${seen} told to ${live.length} clients over ${connections} connections`,
    ].join('\n');
  }
}

const COLUMNS = ['phase', 's', 'requests', 'failed', 'excused', 'p50 ms', 'p99 ms', 'max ms', 'untold s'] as const;

function renderPhases(facts: RunFacts): string {
  const rows = facts.phases.map((phase) => rowOf(phase, facts));
  const table = [COLUMNS, ...rows];
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const aligned = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ');
  return table.map(aligned).join('\n');
}

function rowOf(phase: Phase, { kills, deliveries }: RunFacts): string[] {
  const { failed, excused } = failuresOf(phase, kills);
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => percentile(phase.latenciesMs, share).toFixed(1));
  const numbers = [phase.latenciesMs.length, failed.length, excused.length].map(String);
  const seconds = ((phase.endedAt - phase.startedAt) / 1_000).toFixed(1);
  return [phase.name, seconds, ...numbers, p50!, p99!, max!, longestSilence(phase, deliveries).toFixed(1)];
}

/** Seconds of the phase in which the receiver was told nothing though alerts kept coming. */
function longestSilence(phase: Phase, deliveries: RunFacts['deliveries']): number {
  const within = deliveries.map(({ at }) => at).filter((at) => at >= phase.startedAt && at <= phase.endedAt);
  const moments = [phase.startedAt, ...within, phase.endedAt];
  return Math.max(...moments.slice(1).map((at, index) => at - moments[index]!)) / 1_000;
}
