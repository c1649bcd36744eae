/** A wait for a turn that nobody else notices. */
const QUICK_MS = 150;
/** The longest wait for a turn, and only where there is room: it takes up a hand that could serve others. */
const PATIENT_MS = 250;
/** The weight of the latest duration in the average. */
const LATEST = 0.2;

interface Compartment {
  running: number;
  waiting: (() => void)[];
  averageMs: number;
  /** When an attempt last ended, or when the share was last exhausted. */
  progressAt: number;
}

export interface BulkheadOptions {
  /** Jobs that the process has in hand at once. */
  readonly concurrency: number;
  /** Attempts under way at once, of each integration. */
  readonly share: number;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
}

/**
 * Keeps an integration that is slow, or hangs, from taking all hands of the process: each has a share, and never more
 * than there are hands left (the dynamic threshold of Choudhury and Hahne), so that several of them together leave some
 * free as well. What comes for an exhausted share waits here if its turn is near, for a quick receiver should not be slowed
 * down; else it is turned away.
 */
export class Bulkhead {
  private readonly compartments = new Map<string, Compartment>();
  private inHand = 0;
  private readonly now: () => number;

  constructor(private readonly options: BulkheadOptions) {
    this.now = options.now ?? (() => performance.now());
  }

  /** Attempts under way, by integration. */
  get running(): ReadonlyMap<string, number> {
    return new Map([...this.compartments].map(([integration, { running }]) => [integration, running]));
  }

  /** How long one turn takes at present, in milliseconds. */
  turnMs(integration: string): number {
    const compartment = this.compartments.get(integration);
    return compartment ? this.turnOf(compartment) : 0;
  }

  /** What ends the attempt, to be called once; `undefined`: turned away, come back later. */
  async enter(integration: string): Promise<(() => void) | undefined> {
    const compartment = this.compartmentOf(integration);
    if (this.hasTurn(compartment)) this.begin(compartment);
    else if (!(await this.turn(compartment))) return undefined;
    const began = this.now();
    return () => this.leave(compartment, this.now() - began);
  }

  private compartmentOf(integration: string): Compartment {
    let compartment = this.compartments.get(integration);
    if (!compartment) {
      compartment = { running: 0, waiting: [], averageMs: 0, progressAt: this.now() };
      this.compartments.set(integration, compartment);
    }
    return compartment;
  }

  private begin(compartment: Compartment): void {
    compartment.running++;
    this.inHand++;
    if (!this.hasTurn(compartment)) compartment.progressAt = this.now();
  }

  private leave(compartment: Compartment, tookMs: number): void {
    compartment.running--;
    this.inHand--;
    compartment.progressAt = this.now();
    compartment.averageMs += (tookMs - compartment.averageMs) * (compartment.averageMs === 0 ? 1 : LATEST);
    if (this.hasTurn(compartment)) compartment.waiting.shift()?.();
  }

  /** Waits for a turn; false when it does not come, or would come late. */
  private turn(compartment: Compartment): Promise<boolean> {
    const { averageMs, running, waiting } = compartment;
    const expectedMs = Math.max(((waiting.length + 1) * averageMs) / running, this.standstillOf(compartment));
    const hasRoom = waiting.length < this.free();
    if (expectedMs > (hasRoom ? PATIENT_MS : QUICK_MS)) return Promise.resolve(false);
    this.inHand++;
    return new Promise((resolve) => {
      const taken = () => {
        clearTimeout(timer);
        this.inHand--;
        this.begin(compartment);
        resolve(true);
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(taken), 1);
        this.inHand--;
        resolve(false);
      }, PATIENT_MS);
      waiting.push(taken);
    });
  }

  /** A standstill counts for as long as it lasts: an attempt that hangs has no duration yet. */
  private turnOf(compartment: Compartment): number {
    return Math.max(compartment.averageMs / Math.max(compartment.running, 1), this.standstillOf(compartment));
  }

  /** For how long an exhausted share has made no progress. */
  private standstillOf(compartment: Compartment): number {
    return this.hasTurn(compartment) ? 0 : this.now() - compartment.progressAt;
  }

  private hasTurn({ running }: Compartment): boolean {
    return running === 0 || running < Math.min(this.options.share, this.free());
  }

  private free(): number {
    return this.options.concurrency - this.inHand;
  }
}
