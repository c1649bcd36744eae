import { Matcher, type Labels, type MatchOperator } from '../config/index.js';
import { pointerStep, type IntakeFault } from '../intake/fault.js';
import { limits } from '../intake/limits.js';
import { textFault } from '../intake/postable-alerts.js';

/** A silence to be, or with an `id`, what is to become of that one. Times in milliseconds since 1970. */
export interface SilenceRequest {
  readonly id?: string | undefined;
  readonly matchers: readonly { readonly name: string; readonly operator: MatchOperator; readonly value: string }[];
  /** Default: now. */
  readonly startsAt?: number | undefined;
  readonly endsAt: number;
  readonly createdBy: string;
  readonly comment: string;
  readonly annotations?: Labels | undefined;
}

/** The silence makes no sense: every fault with its place; the message has Alertmanager's words. */
export class InvalidSilence extends Error {
  constructor(readonly faults: readonly SilenceFault[]) {
    super(faults.map(({ message }) => message).join('; '));
  }
}

interface SilenceFault extends IntakeFault {
  readonly message: string;
}

const MAX_MATCHERS = 100;
const MAX_COMMENT = 16_384;

/** Answers the matchers, compiled. @throws InvalidSilence */
export function checkSilence(request: SilenceRequest, now: number): Matcher[] {
  const faults: SilenceFault[] = [];
  const refuse = (pointer: string, detail: string, message = `invalid silence: ${pointer.slice(1)} ${detail}`) =>
    faults.push({ pointer, detail, message });
  checkTimes(request, now, refuse);
  const matchers = compile(request, refuse);
  checkTexts(request, refuse);
  if (faults.length > 0) throw new InvalidSilence(faults);
  return matchers;
}

type Refuse = (pointer: string, detail: string, message?: string) => void;

function checkTimes({ startsAt, endsAt }: SilenceRequest, now: number, refuse: Refuse): void {
  if (startsAt !== undefined && startsAt >= endsAt) {
    const detail = 'start time must be before end time';
    refuse('/endsAt', detail, `Failed to create silence: ${detail}`);
  } else if (endsAt < now) {
    const detail = "end time can't be in the past";
    refuse('/endsAt', detail, `Failed to create silence: ${detail}`);
  }
}

function compile({ matchers }: SilenceRequest, refuse: Refuse): Matcher[] {
  if (matchers.length === 0) refuse('/matchers', 'at least one matcher required');
  if (matchers.length > MAX_MATCHERS) {
    refuse('/matchers', `holds ${matchers.length} matchers; ${MAX_MATCHERS} are allowed`);
    return [];
  }
  const compiled = matchers.flatMap(({ name, operator, value }, index) => {
    const wrong = (detail: string) => {
      refuse(`/matchers/${index}`, detail, `invalid silence: invalid label matcher ${index} in set 0: ${detail}`);
      return [];
    };
    const nameFault = textFault(name, limits.nameLength);
    if (name === '' || nameFault) return wrong(`invalid label name ${JSON.stringify(name.slice(0, 64))}`);
    const valueFault = textFault(value, limits.labelValueLength);
    if (valueFault) return wrong(`invalid label value: it ${valueFault}`);
    try {
      return [new Matcher(name, operator, value)];
    } catch (error) {
      return wrong(`invalid regular expression ${JSON.stringify(value)}: ${(error as Error).message}`);
    }
  });
  const vacuous = (matcher: Matcher) => matcher.isEqual && matcher.matches({});
  if (compiled.length > 0 && compiled.length === matchers.length && compiled.every(vacuous)) {
    const detail = 'at least one matcher must not match the empty string';
    refuse('/matchers', detail, `invalid silence: matcher set 0: ${detail}`);
  }
  return compiled;
}

function checkTexts({ createdBy, comment, annotations = {} }: SilenceRequest, refuse: Refuse): void {
  const check = (pointer: string, text: string, length: number) => {
    const fault = textFault(text, length);
    if (fault) refuse(pointer, fault);
  };
  check('/createdBy', createdBy, limits.nameLength);
  check('/comment', comment, MAX_COMMENT);
  const entries = Object.entries(annotations);
  if (entries.length > limits.annotations) {
    refuse('/annotations', `holds ${entries.length} annotations; ${limits.annotations} are allowed`);
    return;
  }
  for (const [name, value] of entries) {
    const fault = textFault(name, limits.nameLength) ?? textFault(value, MAX_COMMENT);
    if (fault) refuse(`/annotations${pointerStep(name.slice(0, 64))}`, fault);
  }
}
