import type { CheckResult } from '../checks.ts';
import { type Outcome, Sandbox } from './sandbox.ts';

/** Says what is wrong; what it is not told is right. */
export type Fault = (text: string) => void;

/** A promise that is not put to the test before it is its turn. */
export type Check = () => Promise<CheckResult>;

/** A few at once: each is mostly waiting for processes. */
const AT_ONCE = 3;

export async function inTurn<T>(tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const waiting = [...tasks.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await next[1]();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}

/** One promise, in a sandbox of its own, which may begin as another is. */
export async function tryOut(
  name: string,
  work: (sandbox: Sandbox, fault: Fault) => Promise<void>,
  like?: Sandbox,
): Promise<CheckResult> {
  const faults: string[] = [];
  const sandbox = await Sandbox.open(like);
  try {
    await work(sandbox, (text) => faults.push(text));
    faults.push(...sandbox.world.noticed.map((text) => `noticed: ${text}`));
  } catch (error) {
    faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await sandbox.close();
  }
  return { name, faults };
}

export function check(name: string, work: (sandbox: Sandbox, fault: Fault) => Promise<void>): Check {
  return () => tryOut(name, work);
}

/** The same with v1 in service. */
export function checkServing(name: string, work: (sandbox: Sandbox, fault: Fault) => Promise<void>): Check {
  return check(name, async (sandbox, fault) => {
    const outcome = await sandbox.release('eyrie:1');
    if (outcome.status !== 0) fault(`the first installation ended with ${tell(outcome)}`);
    else await work(sandbox, fault);
  });
}

export function tell({ status, signal, stdout, stderr }: Outcome): string {
  return `${signal ?? `status ${status}`}\n${stdout.trimEnd()}\n${stderr.trimEnd()}`;
}

/** That `ref` serves, everywhere and alone, and nothing is left of what was before or between. */
export function expectServing(sandbox: Sandbox, ref: string, fault: Fault): void {
  const { world } = sandbox;
  const wanted = world.images.get(ref)!.id;
  const active = world.traffic.blue === 100 ? 'api-blue' : 'api-green';
  if (world.traffic.blue + world.traffic.green !== 100 || world.traffic.blue * world.traffic.green !== 0) {
    fault(`the traffic is ${JSON.stringify(world.traffic)}`);
  }
  for (const [service, count] of [
    [active, 3],
    ['worker', 2],
  ] as const) {
    const images = world.of(service).map(({ image, state }) => `${image === wanted ? ref : image} ${state}`);
    if (images.length !== count || images.some((image) => image !== `${ref} running`)) {
      fault(`${service} is [${images.join(', ')}] and should be ${count} of ${ref}`);
    }
  }
  const left = [...world.containers.values()].filter(({ oneOff }) => oneOff).map(({ name }) => name);
  if (left.length > 0) fault(`left behind: ${left.join(', ')}`);
  for (const file of ['.state/lock', '.state/unfinished']) if (sandbox.exists(file)) fault(`${file} was left behind`);
}
