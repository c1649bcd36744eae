import * as z from 'zod';
import type { RateLimit } from './gcra.js';

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

/** `10/s burst 20`; without a burst that many at once as in its time; `none` for no limit. */
export function rateLimit() {
  return z
    .string()
    .transform((text, context): RateLimit | undefined => {
      if (text.trim() === 'none') return undefined;
      const [, count, unit = 's', burst = count] =
        /^(\d{1,6})\/([smh])(?:\s+burst\s+(\d{1,6}))?$/.exec(text.trim()) ?? [];
      if (Number(count) > 0 && Number(burst) > 0) {
        return { perSecond: Number(count) / seconds[unit]!, burst: Number(burst) };
      }
      context.addIssue({ code: 'custom', message: wanted });
      return z.NEVER;
    })
    .describe(wanted);
}

const wanted = 'a rate such as 10/s, 10/s burst 20 or 100/m, or none';
