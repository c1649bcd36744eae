import { currentOrigin, type JobOrigin } from 'eyrie/jobs';

/** The request that an alert's present state comes from, and when it came (seconds since 1970). */
export interface AlertOrigin extends JobOrigin {
  at: number;
}

/** That of what runs now. `now` in milliseconds. */
export class Origin {
  private readonly here = currentOrigin();
  private text: string | undefined;

  constructor(private readonly now: number) {}

  /** As JSON, made only for who keeps it: most alerts repeat what is known, and stay what they are. */
  get column(): string {
    return (this.text ??= JSON.stringify({ ...this.here, at: this.now / 1000 } satisfies AlertOrigin));
  }
}

/**
 * The origin of a notification: the last request among those of its alerts, unless the receiver has been told since. A
 * reminder hours later belongs to no request.
 */
export function latestOrigin(
  origins: Iterable<AlertOrigin | null>,
  toldAt: number | undefined,
): AlertOrigin | undefined {
  let latest: AlertOrigin | undefined;
  for (const origin of origins) {
    if (origin && origin.at > (toldAt ?? -Infinity) && origin.at > (latest?.at ?? -Infinity)) latest = origin;
  }
  return latest;
}
