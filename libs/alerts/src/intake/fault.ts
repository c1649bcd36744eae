/** What is wrong with a request, and where: a JSON pointer (RFC 6901) into its body. */
export interface IntakeFault {
  readonly pointer: string;
  readonly detail: string;
}

/** One step of a JSON pointer. */
export function pointerStep(key: string | number): string {
  return `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** At the most as many faults as a reader would look at. */
const MAX_FAULTS = 100;

export class FaultList {
  readonly faults: IntakeFault[] = [];
  /** How many there are, also beyond those that are kept. */
  count = 0;

  add(pointer: string, detail: string): void {
    this.count++;
    if (this.faults.length < MAX_FAULTS) this.faults.push({ pointer, detail });
  }
}
