let collecting = true;

/** Whether anything is counted: METRICS_ENABLED, for the whole process. */
export function isCollecting(): boolean {
  return collecting;
}

/** Turns all metrics of the process on or off. Off, a call to one costs a comparison. */
export function setCollecting(on: boolean): void {
  collecting = on;
}
