import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  AlertsConfigError,
  type AlertsConfig,
  type Labels,
  matchesAll,
  type Matcher,
  parseDuration,
  parseMatchers,
} from '../config/index.js';
import { YamlDocument } from '../config/yaml-document.js';
import { list, parsed, placed, type Reader, struct, text } from '../config/yaml-reader.js';

/** Whom to tell when nobody has acknowledged for so long, in milliseconds since the alert fired. */
export interface EscalationStep {
  readonly afterMs: number;
  readonly receiver: string;
}

export interface Escalation {
  readonly name: string;
  /** None at all match every alert. */
  readonly matchers: readonly Matcher[];
  /** At least one, in the order of their times. */
  readonly steps: readonly EscalationStep[];
  /** How long after the last step the steps begin again; absent: they do not. */
  readonly repeatMs?: number;
}

/** The escalations in force. */
export class Escalations {
  /** Of what they mean, in hexadecimal. */
  readonly hash: string;
  private readonly byName: ReadonlyMap<string, Escalation>;

  constructor(readonly all: readonly Escalation[] = []) {
    this.hash = createHash('sha256').update(JSON.stringify(all)).digest('hex');
    this.byName = new Map(all.map((escalation) => [escalation.name, escalation]));
  }

  get(name: string): Escalation | undefined {
    return this.byName.get(name);
  }

  /** The first whose matchers all hold. */
  for(labels: Labels): Escalation | undefined {
    return this.all.find(({ matchers }) => matchesAll(matchers, labels));
  }
}

/** A repeated chain more often than that would be a flood. */
const SHORTEST_REPEAT_MS = 60_000;
/** It stands in group keys and metrics. */
const NAME = /^[\w.:@ -]{1,100}$/;

const name: Reader<string> = parsed((value) => {
  if (!NAME.test(value)) throw new Error('a name has 1 to 100 letters, digits, spaces and _ . : @ -');
  return value;
});

const repeat: Reader<number> = parsed((value) => {
  const ms = parseDuration(value);
  if (ms < SHORTEST_REPEAT_MS) throw new Error('must be at least 1m');
  return ms;
});

const step = struct({ after: placed(parsed(parseDuration)), receiver: placed(text) });
const escalation = struct({
  name: placed(name),
  matchers: list(parsed(parseMatchers)),
  steps: list(step),
  repeat,
});
const file = struct({ escalations: list(escalation) });

/**
 * Reads the file with escalations.
 * @param receivers those that a step may name
 * @throws AlertsConfigError with every fault, each with its line and column
 */
export async function loadEscalations(path: string, receivers: AlertsConfig['receivers']): Promise<Escalations> {
  const content = await readFile(path, 'utf8').catch((error: Error) => {
    throw new AlertsConfigError([{ line: 1, column: 1, path: '', message: `cannot be read: ${error.message}` }], path);
  });
  return parseEscalations(content, receivers, path);
}

/** As {@link loadEscalations}, of a text. @throws AlertsConfigError */
export function parseEscalations(
  content: string,
  receivers: AlertsConfig['receivers'],
  path = 'escalations',
): Escalations {
  try {
    return read(new YamlDocument(content), receivers);
  } catch (error) {
    throw error instanceof AlertsConfigError ? new AlertsConfigError(error.faults, path) : error;
  }
}

function read(document: YamlDocument, receivers: AlertsConfig['receivers']): Escalations {
  const configs = file(document.root)?.escalations ?? [];
  const names = new Set<string>();
  for (const config of configs) {
    if (!config.has('name')) document.fault('missing name in escalation', config.at('name'));
    if (!config.has('steps') || config.steps?.length === 0)
      document.fault('needs at least one step', config.at('steps'));
    if (config.name) {
      const { value, place } = config.name;
      if (names.has(value)) document.fault(`escalation name "${value}" is not unique`, place);
      names.add(value);
    }
    checkSteps(document, config.steps ?? [], receivers);
  }
  if (document.faults.length > 0) throw new AlertsConfigError(document.faults);
  return new Escalations(
    configs.map((config) => ({
      name: config.name!.value,
      matchers: (config.matchers ?? []).flat(),
      steps: config.steps!.map(({ after, receiver }) => ({ afterMs: after!.value, receiver: receiver!.value })),
      ...(config.repeat !== undefined && { repeatMs: config.repeat }),
    })),
  );
}

type StepConfig = NonNullable<ReturnType<typeof step>>;

function checkSteps(document: YamlDocument, steps: readonly StepConfig[], receivers: AlertsConfig['receivers']): void {
  let latest = -1;
  for (const { after, receiver, at, has } of steps) {
    if (!has('after')) document.fault('missing after in step', at('after'));
    if (!has('receiver')) document.fault('missing receiver in step', at('receiver'));
    if (receiver && !receivers.has(receiver.value)) {
      document.fault(`undefined receiver "${receiver.value}" used in escalation`, receiver.place);
    }
    if (after && after.value <= latest) document.fault('must be later than the step before', after.place);
    if (after) latest = Math.max(latest, after.value);
  }
}
