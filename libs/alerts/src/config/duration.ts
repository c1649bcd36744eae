const UNITS_MS = { y: 31_536_000_000, w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const PROMETHEUS = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const GO = /^(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)/;
const GO_UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Go's longest duration, 2⁶³ − 1 nanoseconds: some 292 years. */
const LONGEST_MS = Number(2n ** 63n / 1_000_000n);

/**
 * Milliseconds of a Prometheus duration: `0`, `30s`, `1h30m`, `1d2h`; each unit at most once, largest first.
 *
 * @throws Error saying what is wrong.
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (text === '') throw new Error('empty duration string');
  const found = PROMETHEUS.exec(text);
  if (!found) throw new Error(`not a valid duration string: "${text}"; write it as 30s, 5m or 1h30m`);
  return inRange(Object.values(UNITS_MS).reduce((sum, unit, index) => sum + Number(found[index + 1] ?? 0) * unit, 0));
}

/**
 * Milliseconds of a Go duration, which `webhook_configs[].timeout` is: `10s`, `1.5s`, `2m30s`; no days.
 *
 * @throws Error saying what is wrong; a bare number, which Go takes for nanoseconds, is refused unless it is 0.
 */
export function parseGoDuration(text: string): number {
  if (text === '0') return 0;
  let sum = 0;
  let rest = text;
  do {
    const [part] = GO.exec(rest) ?? [];
    if (!part) throw new Error(`not a valid duration: "${text}"; write it as 10s, 1.5s or 2m30s`);
    sum += parseFloat(part) * GO_UNITS_MS[part.replace(/^[\d.]+/, '')]!;
    rest = rest.slice(part.length);
  } while (rest !== '');
  return inRange(sum);
}

/** As Prometheus prints it: `1d2h`, `0s`. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, size] of Object.entries(UNITS_MS)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text || '0s';
}

function inRange(ms: number): number {
  if (ms > LONGEST_MS) throw new Error('duration out of range');
  return ms;
}
