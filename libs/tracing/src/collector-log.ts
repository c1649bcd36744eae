/** Takes a line for the log. */
export type Warn = (message: string, fields: Record<string, unknown>) => void;

const quietMs = 60_000;

/**
 * What the SDK has to complain about, which is nearly always a collector that cannot be reached: one line a minute at
 * most, however often it fails, with the number of those that were left out.
 */
export class CollectorLog {
  private quietUntil = -Infinity;
  private leftOut = 0;

  constructor(
    private readonly warn: Warn,
    private readonly collector: string,
    private readonly now: () => number = () => performance.now(),
  ) {}

  tell(complaint: unknown): void {
    if (this.now() < this.quietUntil) {
      this.leftOut += 1;
      return;
    }
    this.quietUntil = this.now() + quietMs;
    const { leftOut } = this;
    this.leftOut = 0;
    this.warn(`Spans are lost: ${reasonOf(complaint)}`, {
      collector: this.collector,
      ...(leftOut > 0 && { failures_not_logged: leftOut }),
    });
  }
}

function reasonOf(complaint: unknown): string {
  if (!(complaint instanceof Error)) return String(complaint);
  // An AggregateError, which is what a refused connection to a name with several addresses is, has no message.
  const { message, code } = complaint as NodeJS.ErrnoException;
  return message || (code ?? complaint.name);
}
