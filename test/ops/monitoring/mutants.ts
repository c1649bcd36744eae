/** Rules with one fault each, for the question whether their unit tests notice it. */
import { type Alert, keyOf, secondsOf } from './rule-files.ts';

export interface Mutant {
  file: string;
  /** Of the alert; its tests' names begin with it. */
  key: string;
  what: string;
  /** The whole file with the fault. */
  text: string;
}

/** Of one alert: it never fires, it fires too soon or too late, and each of its limits is an eighth too lax. */
export function mutantsOf(alert: Alert, text: string): Mutant[] {
  const [begin, end] = placeOf(alert, text);
  const rule = text.slice(begin, end);
  const mutant = (what: string, changed: string): Mutant => ({
    file: alert.file,
    key: keyOf(alert.alert, alert.labels?.window),
    what,
    text: text.slice(0, begin) + changed + text.slice(end),
  });
  const seconds = secondsOf(alert.for ?? '0s');
  const [expression] = /expr:(?:.*\n(?: {10}.*\n)*)/.exec(rule)!;
  const limits = [...expression.matchAll(/ (>=?|<) (\d+(?:\.\d+)?)/g)].filter(([, , limit]) => Number(limit) > 0);
  return [
    mutant('never fires', rule.replace(expression, 'expr: vector(0) > 1\n')),
    ...(seconds > 0
      ? [
          mutant('fires too soon', rule.replace(`for: ${alert.for}`, `for: ${Math.round(seconds / 2)}s`)),
          mutant('fires too late', rule.replace(`for: ${alert.for}`, `for: ${seconds * 4}s`)),
        ]
      : []),
    ...limits.map(({ 0: whole, 1: sign, 2: limit, index }) => {
      const lax = Number(limit) * (sign === '<' ? 1.125 : 0.875);
      const changed = expression.slice(0, index) + ` ${sign} ${lax}` + expression.slice(index + whole.length);
      return mutant(`the limit${whole} is too lax`, rule.replace(expression, changed));
    }),
  ];
}

/** Where the rule stands: several of one name differ in their window. */
function placeOf({ alert, labels }: Alert, text: string): [number, number] {
  for (
    let begin = text.indexOf(`- alert: ${alert}\n`);
    begin >= 0;
    begin = text.indexOf(`- alert: ${alert}\n`, begin + 1)
  ) {
    const next = text.indexOf('\n      - alert: ', begin);
    const end = next < 0 ? text.length : next + 1;
    if (labels?.window === undefined || text.slice(begin, end).includes(`window: ${labels.window}`))
      return [begin, end];
  }
  throw new Error(`no ${alert} in its file`);
}
