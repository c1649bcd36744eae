import { labelValue, type Labels } from './labels.js';
import { type Matcher, matchesAll } from './matcher.js';

/** While an alert matches the source side, alerts of the target side with the same `equal` labels are not notified. */
export interface InhibitRule {
  /** Its name, or what it says; unique among the rules. */
  readonly key: string;
  readonly sourceMatchers: readonly Matcher[];
  readonly targetMatchers: readonly Matcher[];
  readonly equal: readonly string[];
}

/**
 * Whether a firing `source` inhibits `target`. An alert that matches both sides is never inhibited by another that
 * does, itself included, as in Alertmanager.
 */
export function inhibits(rule: InhibitRule, source: Labels, target: Labels): boolean {
  return (
    matchesAll(rule.targetMatchers, target) &&
    matchesAll(rule.sourceMatchers, source) &&
    rule.equal.every((name) => labelValue(source, name) === labelValue(target, name)) &&
    !(matchesAll(rule.sourceMatchers, target) && matchesAll(rule.targetMatchers, source))
  );
}
