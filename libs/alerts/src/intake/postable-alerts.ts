import { NAME_LABEL, type IncomingAlert } from '../alert.js';
import { labelValue, type Labels } from '../config/index.js';
import { FaultList, pointerStep, type IntakeFault } from './fault.js';
import { limits } from './limits.js';

export interface ParsedAlerts {
  readonly alerts: IncomingAlert[];
  readonly faults: IntakeFault[];
}

export interface IntakeContext {
  readonly now: number;
  /** How long an alert without an end goes on firing, in milliseconds. */
  readonly resolveTimeoutMs: number;
}

/**
 * Reads the body of `POST /api/v2/alerts` (Alertmanager's `postableAlerts`), with its defaults: a missing start is now or
 * the end, a missing end is `resolve_timeout` from now, labels with empty values are dropped. Written by hand because it
 * runs for every alert of every batch. Alerts without fault are returned even where others have one.
 */
export function parsePostableAlerts(body: unknown, context: IntakeContext): ParsedAlerts {
  const faults = new FaultList();
  const alerts: IncomingAlert[] = [];
  if (!Array.isArray(body)) {
    faults.add('', `must be an array of alerts, not ${typeName(body)}`);
  } else if (body.length > limits.alertsPerRequest) {
    faults.add('', `holds ${body.length} alerts; ${limits.alertsPerRequest} are allowed in one request`);
  } else {
    for (let index = 0; index < body.length; index++) {
      const alert = parseAlert(body[index], `/${index}`, context, faults);
      if (alert) alerts.push(alert);
    }
  }
  return { alerts, faults: faults.faults };
}

/** One alert of Alertmanager's form; undefined when `faults` has grown. */
export function parseAlert(
  value: unknown,
  pointer: string,
  context: IntakeContext,
  faults: FaultList,
): IncomingAlert | undefined {
  if (!isRecord(value)) {
    faults.add(pointer, `must be an alert object, not ${typeName(value)}`);
    return undefined;
  }
  const before = faults.count;
  const labels = parseTexts(value['labels'], `${pointer}/labels`, LABELS, faults);
  const nameFault = textFault(labelValue(labels, NAME_LABEL), limits.alertnameLength);
  if (nameFault) faults.add(`${pointer}/labels/${NAME_LABEL}`, nameFault);
  const annotations = parseTexts(value['annotations'], `${pointer}/annotations`, ANNOTATIONS, faults);
  const generatorUrl = parseUrl(value['generatorURL'], `${pointer}/generatorURL`, faults);
  const start = parseTime(value['startsAt'], `${pointer}/startsAt`, faults);
  const end = parseTime(value['endsAt'], `${pointer}/endsAt`, faults);
  if (faults.count > before) return undefined;
  if (Object.keys(labels).length === 0) {
    faults.add(`${pointer}/labels`, 'needs at least one label with a value');
    return undefined;
  }
  const startsAt = start ?? (end === undefined ? context.now : Math.min(end, context.now));
  const endsAt = end ?? context.now + context.resolveTimeoutMs;
  checkTimes(startsAt, end, pointer, context.now, faults);
  if (faults.count > before) return undefined;
  return {
    labels,
    annotations,
    generatorUrl,
    startsAt,
    endsAt,
    timeout: end === undefined,
    startUnknown: start === undefined,
  };
}

function checkTimes(startsAt: number, end: number | undefined, pointer: string, now: number, faults: FaultList): void {
  if (startsAt > now + limits.startAheadMs) {
    faults.add(`${pointer}/startsAt`, "is more than a day ahead of this server; is the sender's clock right?");
  }
  if (end === undefined) return;
  if (end < startsAt) faults.add(`${pointer}/endsAt`, 'is before startsAt');
  if (end > now + limits.endAheadMs) {
    faults.add(`${pointer}/endsAt`, "is more than a year ahead of this server; is the sender's clock right?");
  }
  if (end < now - limits.endBehindMs) {
    faults.add(`${pointer}/endsAt`, "is more than 31 days behind this server; is the sender's clock right?");
  }
}

interface TextRules {
  readonly what: string;
  readonly count: number;
  readonly valueLength: number;
  readonly dropEmpty: boolean;
}

const LABELS: TextRules = {
  what: 'label',
  count: limits.labels,
  valueLength: limits.labelValueLength,
  dropEmpty: true,
};
const ANNOTATIONS: TextRules = {
  what: 'annotation',
  count: limits.annotations,
  valueLength: limits.annotationLength,
  dropEmpty: false,
};
const NONE: Labels = Object.freeze({});

function parseTexts(value: unknown, pointer: string, rules: TextRules, faults: FaultList): Labels {
  if (value === undefined || value === null) return NONE;
  if (!isRecord(value)) {
    faults.add(pointer, `must be an object of strings, not ${typeName(value)}`);
    return NONE;
  }
  const names = Object.keys(value);
  if (names.length > rules.count) {
    faults.add(pointer, `holds ${names.length} ${rules.what}s; ${rules.count} are allowed`);
    return NONE;
  }
  let drop = false;
  for (const name of names) {
    const text = value[name];
    if (name === '') faults.add(pointer, `has a ${rules.what} without a name`);
    const fault =
      textFault(name, limits.nameLength) ?? (typeof text === 'string' ? textFault(text, rules.valueLength) : undefined);
    if (fault) faults.add(pointer + pointerStep(name.slice(0, 64)), fault);
    else if (typeof text !== 'string')
      faults.add(pointer + pointerStep(name), `must be a string, not ${typeName(text)}`);
    else if (text === '' && rules.dropEmpty) drop = true;
  }
  if (!drop) return value as Labels;
  return Object.fromEntries(Object.entries(value as Labels).filter(([, text]) => text !== ''));
}

function parseUrl(value: unknown, pointer: string, faults: FaultList): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') {
    faults.add(pointer, `must be a string, not ${typeName(value)}`);
    return '';
  }
  const fault = textFault(value, limits.urlLength);
  if (fault) faults.add(pointer, fault);
  return value;
}

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;
/** Go's zero time stands for "not given". */
const ZERO_TIME = '0001-01-01T00:00:00';

function parseTime(value: unknown, pointer: string, faults: FaultList): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') {
    if (value.startsWith(ZERO_TIME)) return undefined;
    const time = RFC3339.test(value) && hasDay(value) ? Date.parse(value) : NaN;
    if (!Number.isNaN(time)) return time;
  }
  faults.add(pointer, 'must be a time as in RFC 3339, such as "2026-01-31T12:00:00Z"');
  return undefined;
}

/** Date.parse takes the 30th of February for the 2nd of March. */
function hasDay(date: string): boolean {
  const day = Number(date.slice(8, 10));
  return day <= 28 || new Date(`${date.slice(0, 10)}T00:00:00Z`).getUTCDate() === day;
}

/** The one character that PostgreSQL cannot hold. */
const NUL = /\u0000/;

/** What keeps a text out of the database, if anything: its length, NUL, half a surrogate pair. */
export function textFault(text: string, maxLength: number): string | undefined {
  if (text.length > maxLength) return `is ${text.length} characters long; ${maxLength} are allowed`;
  if (NUL.test(text)) return 'holds the character NUL (U+0000)';
  if (!text.isWellFormed()) return 'holds half a surrogate pair, which is no character';
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
