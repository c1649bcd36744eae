import type { Delivery, Facts, Kill, Outcome } from './facts.ts';
import type { Story } from './people-facts.ts';

/** What people did, as far as it was accepted. */
export function renderStories(stories: readonly Story[]): string {
  const raised = stories.filter(({ raisedAt }) => raisedAt !== undefined);
  const count = (kind: Story['kind'], holds: (story: Story) => boolean = () => true) =>
    raised.filter((story) => story.kind === kind && holds(story)).length;
  const parts = [
    `${count('silenced')} silenced (${count('silenced', ({ unsilenced }) => unsilenced === true)} for a while)`,
    `${count('paged')} escalated (${count('paged', ({ acknowledgedInTime }) => acknowledgedInTime === true)} acknowledged in time)`,
    `${count('heartbeat')} heartbeats missed (${count('heartbeat', ({ well }) => well === true)} well again)`,
  ];
  return `people              ${parts.join(', ')}`;
}

/** The run in figures. */
export function renderSummary(
  { sent, deliveries, kills }: Facts,
  { answers, faults }: { answers: Readonly<Record<string, number>>; faults: Readonly<Record<string, number>> },
): string {
  const posts = [...sent.values()].flatMap((alert) => alert.posts);
  const outcomes = (outcome: Outcome) => posts.filter((post) => post.outcome === outcome).length;
  const delivered = deliveries.filter(({ deliveredAt }) => deliveredAt !== undefined);
  const notifications = new Set(delivered.map(({ key }) => key)).size;
  const recoveries = kills
    .map((kill) => ({ kill, ms: recovery(kill, deliveries) }))
    .filter(({ ms }) => ms !== undefined);
  const slowest = recoveries.reduce((worst, next) => (next.ms! > (worst?.ms ?? -1) ? next : worst), recoveries[0]);
  return [
    `alerts posted       ${outcomes('accepted')} accepted, ${outcomes('refused')} refused, ${outcomes('unknown')} unknown`,
    `answers             ${counted(answers)}`,
    `notifications       ${notifications} delivered, by ${deliveries.length} requests`,
    `repeats             ${delivered.length - notifications} (delivered again after an answer of 200)`,
    `receiver's faults   ${counted(faults)}`,
    `kills               ${kills.length}: ${counted(Object.groupBy(kills, ({ kind }) => kind))}`,
    `slowest recovery    ${slowest ? `${slowest.ms} ms from a kill (${slowest.kill.kind}) to the next delivery` : 'none'}`,
  ].join('\n');
}

function recovery(kill: Kill, deliveries: readonly Delivery[]): number | undefined {
  const next = deliveries.find(({ deliveredAt }) => deliveredAt !== undefined && deliveredAt > kill.at);
  return next && next.deliveredAt! - kill.at;
}

function counted(counts: Readonly<Record<string, number | readonly unknown[] | undefined>>): string {
  const parts = Object.entries(counts).map(
    ([what, count]) => `${typeof count === 'number' ? count : count?.length} × ${what}`,
  );
  return parts.join(', ') || 'none';
}
