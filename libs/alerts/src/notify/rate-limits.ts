import * as z from 'zod';

/** So many notifications in so much time, and so many at once after a pause. */
export interface NotifyRate {
  /** Between two, in milliseconds. */
  readonly intervalMs: number;
  readonly burst: number;
}

/** The rate of a receiver; `undefined` where there is none. */
export interface RateLimits {
  readonly general: NotifyRate | undefined;
  readonly receivers: Readonly<Record<string, NotifyRate | undefined>>;
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const wanted = 'rates such as 10/s burst 20, or pager=6/m, separated by commas';

/** The transformation of a zod schema: `10/s burst 20, pager=6/m, console=off`. */
export function parseRateLimits(text: string, context: z.RefinementCtx): RateLimits {
  const receivers: Record<string, NotifyRate | undefined> = Object.create(null) as Record<string, never>;
  let general: NotifyRate | undefined;
  for (const entry of text.split(',')) {
    const at = entry.lastIndexOf('=');
    const rate = parseRate(entry.slice(at + 1).trim());
    if (rate === undefined) {
      context.addIssue({ code: 'custom', message: wanted });
      return z.NEVER;
    }
    const limit = rate === 'off' ? undefined : rate;
    if (at === -1) general = limit;
    else receivers[entry.slice(0, at).trim()] = limit;
  }
  return { general, receivers };
}

/** The rate that holds for the integrations of a receiver. */
export function rateOf(limits: RateLimits | undefined, receiver: string): NotifyRate | undefined {
  if (!limits) return undefined;
  return receiver in limits.receivers ? limits.receivers[receiver] : limits.general;
}

function parseRate(text: string): NotifyRate | 'off' | undefined {
  if (text === 'off') return 'off';
  const [, count, unit = '', burst = '1'] = /^(\d{1,6})\/([smh])(?:\s+burst\s+(\d{1,6}))?$/.exec(text) ?? [];
  if (!Number(count) || !Number(burst)) return undefined;
  return { intervalMs: units[unit]! / Number(count), burst: Number(burst) };
}
