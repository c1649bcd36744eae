/** Something wrong in the file: where (line and column from 1), in what (`route.routes[0].receiver`) and why. */
export interface AlertsConfigFault {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

/** A configuration that cannot be used. Holds every fault that was found, in the order of the file. */
export class AlertsConfigError extends Error {
  override readonly name = 'AlertsConfigError';
  readonly faults: readonly AlertsConfigFault[];

  constructor(faults: readonly AlertsConfigFault[], file = 'alerts configuration') {
    const sorted = [...faults].sort((left, right) => left.line - right.line || left.column - right.column);
    super(sorted.map((fault) => `${file}:${formatFault(fault)}`).join('\n'));
    this.faults = sorted;
  }
}

/** `12:5 route.routes[0].receiver: undefined receiver "x"` */
export function formatFault({ line, column, path, message }: AlertsConfigFault): string {
  return `${line}:${column}${path && ` ${path}`}: ${message}`;
}
