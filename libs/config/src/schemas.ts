import * as z from 'zod';

/** How the values of a schema read in words, and how one is written back as text. */
interface Form {
  wanted: string;
  format: (value: never) => string;
}

/** The forms of the schemas below; a refined copy of a schema inherits its form. */
export const forms = z.registry<Form>();

/** A schema from text by a parser that answers `undefined` for what it cannot read. */
function textual<T>(parse: (text: string) => T | undefined, wanted: string, format: (value: T) => string) {
  const schema = z.string().transform((text, context): T => {
    const value = parse(text.trim());
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: wanted });
    return z.NEVER;
  });
  return schema.register(forms, { wanted, format });
}

const truths = new Map([
  ...['true', 'yes', 'on', '1'].map((word) => [word, true] as const),
  ...['false', 'no', 'off', '0'].map((word) => [word, false] as const),
]);

/** `true`, `yes`, `on`, `1` or `false`, `no`, `off`, `0`, in any case. */
export const flag = () => textual((text) => truths.get(text.toLowerCase()), 'true or false', String);

const milliseconds: Record<string, number> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};

/** Milliseconds from Prometheus' notation, `250ms`, `30s`, `1h30m`, `2d`; `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|[wdhms]))+$/.test(text)) return undefined;
  const parts = text.matchAll(/([\d.]+)(ms|[wdhms])/g);
  const sum = [...parts].reduce((total, [, count, unit = '']) => total + Number(count) * (milliseconds[unit] ?? 0), 0);
  return Math.round(sum);
}

/** As Prometheus writes it, weeks only where nothing is left over: `30d`, `2w`; {@link parseDuration} reads it back. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, length] of Object.entries(milliseconds)) {
    const count = unit === 'w' && rest % length > 0 ? 0 : Math.floor(rest / length);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * length;
  }
  return text || '0';
}

const bytes: Record<string, number> = {
  GIB: 2 ** 30,
  GB: 1e9,
  MIB: 2 ** 20,
  MB: 1e6,
  KIB: 2 ** 10,
  KB: 1e3,
  B: 1,
};
const byteUnits: Record<string, string> = { GIB: 'GiB', GB: 'GB', MIB: 'MiB', MB: 'MB', KIB: 'KiB', KB: 'kB', B: 'B' };

/** Bytes from `512`, `512B`, `64kB`, `2MiB`; `undefined` for anything else. */
export function parseSize(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const factor = bytes[unit.toUpperCase() || 'B'];
  return factor === undefined || count === undefined ? undefined : Math.round(Number(count) * factor);
}

/** The largest unit that divides the size, so that {@link parseSize} reads it back exactly. */
export function formatSize(size: number): string {
  const [unit = 'B', factor = 1] = Object.entries(bytes).find(([, each]) => size >= each && size % each === 0) ?? [];
  return `${size / factor}${byteUnits[unit]}`;
}

interface Bounds {
  /** The smallest value, in the same notation. */
  min?: string;
  /** The largest value, in the same notation. */
  max?: string;
}

function bounded(parse: (text: string) => number | undefined, { min, max }: Bounds) {
  const [low, high] = [min, max].map((bound) => (bound === undefined ? undefined : parse(bound)));
  if ((min !== undefined && low === undefined) || (max !== undefined && high === undefined)) {
    throw new Error(`cannot read the bounds ${min ?? ''}–${max ?? ''}`);
  }
  return (text: string) => {
    const value = parse(text);
    return value === undefined || value < (low ?? 0) || value > (high ?? Infinity) ? undefined : value;
  };
}

function within({ min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return `, from ${min} to ${max}`;
  if (min !== undefined) return `, at least ${min}`;
  return max === undefined ? '' : `, at most ${max}`;
}

/** Milliseconds, from `250ms`, `30s`, `5m`, `1h30m`. A bare number is refused (but for 0): its unit would be a guess. */
export const duration = (bounds: Bounds = {}) =>
  textual(bounded(parseDuration, bounds), `a duration such as 30s or 1h30m${within(bounds)}`, formatDuration);

/** Bytes, from `512`, `64kB`, `2MiB`. */
export const size = (bounds: Bounds = {}) =>
  textual(bounded(parseSize, bounds), `a size such as 64kB or 2MiB${within(bounds)}`, formatSize);

/** Strings, from `a,b`; blanks around an item and empty items are dropped. */
export const list = () =>
  textual(
    (text): string[] =>
      text
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean),
    'a list such as a,b',
    (items) => items.join(','),
  );

/** A TCP port; 0 lets the system choose. */
export const port = () =>
  textual(
    (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined),
    'a port from 0 (any free one) to 65535',
    String,
  );
