/** What holds for every workflow of this repository beyond GitHub's own schema. */
import { parse } from 'yaml';

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Job {
  uses?: string;
  'timeout-minutes'?: number;
  permissions?: unknown;
  steps?: Step[];
}

interface Workflow {
  on: unknown;
  permissions?: unknown;
  concurrency?: unknown;
  jobs: Record<string, Job>;
}

/** An action by the commit, and the version in words for people and for Dependabot. */
const pinned = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;
const usesLine = /^\s*-?\s*uses:\s*(\S+)(.*)$/;

/** Text of whoever opened an issue or pushed a branch: within `run` it would be run. */
const hostile =
  /\$\{\{[^}]*\b(github\.(event|head_ref|ref_name|actor|ref)\b|inputs\.|vars\.|needs\.|steps\.|matrix\.|secrets\.)/;

/** The faults of a workflow, in words. `scripts` are the paths that its steps may run. */
export function faultsOf(text: string, exists: (path: string) => boolean): string[] {
  const workflow = parse(text) as Workflow;
  const faults: string[] = [];
  const triggers = typeof workflow.on === 'string' ? [workflow.on] : Object.keys(workflow.on as object);
  if (triggers.includes('pull_request_target')) faults.push('pull_request_target gives strangers the secrets');
  if (JSON.stringify(workflow.permissions) !== '{"contents":"read"}') faults.push('permissions are not contents: read');
  const isCalled = triggers.length === 1 && triggers[0] === 'workflow_call';
  if (!isCalled && workflow.concurrency === undefined) faults.push('there is no concurrency group');
  for (const [name, job] of Object.entries(workflow.jobs)) {
    if (!job.uses && job['timeout-minutes'] === undefined) faults.push(`${name}: there is no time limit`);
    for (const step of job.steps ?? []) faults.push(...stepFaults(step, exists).map((fault) => `${name}: ${fault}`));
  }
  for (const line of text.split('\n')) {
    const [, action, rest] = usesLine.exec(line) ?? [];
    if (!action || action.startsWith('./')) continue;
    if (!pinned.test(action)) faults.push(`${action} is not pinned to a commit`);
    else if (!/^ # v\d+\.\d+\.\d+$/.test(rest!)) faults.push(`${action} does not say its version`);
  }
  return faults;
}

function stepFaults({ uses, run, with: inputs }: Step, exists: (path: string) => boolean): string[] {
  const faults: string[] = [];
  if (uses?.startsWith('actions/checkout@') && inputs?.['persist-credentials'] !== false)
    faults.push('the checkout leaves its token behind');
  if (run === undefined) return faults;
  if (hostile.test(run)) faults.push(`an expression is pasted into a command: ${run.trim()}`);
  for (const [path] of run.matchAll(/(?<=^|\s)(\.ci|\.github|deploy)\/[\w./-]+/gm))
    if (!exists(path)) faults.push(`${path} does not exist`);
  return faults;
}
