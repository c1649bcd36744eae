/** How values become text and return. `decode` throws for what it does not accept: that counts as a miss. */
export interface Codec<T> {
  /** `undefined` for what cannot be kept. */
  encode(value: T): string | undefined;
  decode(text: string): T;
}

/** What JSON keeps: no `undefined`, and a `Date` comes back as text. */
export const json: Codec<unknown> = {
  encode: (value) => JSON.stringify(value),
  decode: (text) => JSON.parse(text) as unknown,
};

/** A cached value as it is stored: how long it took to load, a blank, its text. */
export const wrap = (loadMs: number, text: string): string => `${Math.round(loadMs)} ${text}`;

/** What {@link wrap} made; `undefined` for anything else, and for what the codec refuses. */
export function unwrap<T>(stored: string, codec: Codec<T>): { value: T; loadMs: number } | undefined {
  const [, loadMs] = /^(\d{1,15}) /.exec(stored) ?? [];
  if (loadMs === undefined) return undefined;
  try {
    return { value: codec.decode(stored.slice(loadMs.length + 1)), loadMs: Number(loadMs) };
  } catch {
    return undefined;
  }
}
