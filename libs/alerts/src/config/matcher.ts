import { GO_SPACE, goQuote } from './go-string.js';
import { compareBytes, type Labels } from './labels.js';
import { anchoredRegex } from './regex.js';

export type MatchOperator = '=' | '!=' | '=~' | '!~';

const OPERATORS: readonly MatchOperator[] = ['=', '!=', '=~', '!~'];
const RESERVED = new RegExp(`[${GO_SPACE}{}!=~,\\\\"'\`]`);

/** One condition on one label, with Alertmanager's meaning: an absent label is the empty string. */
export class Matcher {
  readonly name: string;
  readonly operator: MatchOperator;
  readonly value: string;
  readonly #negated: boolean;
  readonly #regex: ((text: string) => boolean) | undefined;

  /** @throws Error when the operator is a regular expression's and the value is not one in RE2's syntax. */
  constructor(name: string, operator: MatchOperator, value: string) {
    this.name = name;
    this.operator = operator;
    this.value = value;
    this.#negated = operator === '!=' || operator === '!~';
    this.#regex = operator === '=~' || operator === '!~' ? anchoredRegex(value) : undefined;
  }

  get isRegex(): boolean {
    return this.#regex !== undefined;
  }

  /** True for `=` and `=~`: Alertmanager's API spells an operator as `isEqual` and `isRegex`. */
  get isEqual(): boolean {
    return !this.#negated;
  }

  matches(labels: Labels): boolean {
    const given: unknown = labels[this.name];
    const text = typeof given === 'string' ? given : '';
    return (this.#regex === undefined ? text === this.value : this.#regex(text)) !== this.#negated;
  }

  /** As Alertmanager prints it; {@link parseMatchers} reads it back, unless the name is empty. */
  toString(): string {
    if (RESERVED.test(this.name)) return `${goQuote(this.name)}${this.operator}${goQuote(this.value)}`;
    const value = this.value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
    return `${this.name}${this.operator}"${value}"`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Whether all matchers hold; none at all match everything. */
export function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  for (let index = 0; index < matchers.length; index++) if (!matchers[index]!.matches(labels)) return false;
  return true;
}

/** `{a="1",b!="2"}`: what Alertmanager's route keys are made of. */
export function matchersToString(matchers: readonly Matcher[]): string {
  return `{${matchers.join(',')}}`;
}

/** Alertmanager's order: by name, value and operator. */
export function compareMatchers(left: Matcher, right: Matcher): number {
  return (
    compareBytes(left.name, right.name) ||
    compareBytes(left.value, right.value) ||
    OPERATORS.indexOf(left.operator) - OPERATORS.indexOf(right.operator)
  );
}
