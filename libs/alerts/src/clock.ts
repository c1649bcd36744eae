/** The time, as milliseconds since 1970: injected, so that tests move it instead of waiting. */
export abstract class Clock {
  abstract now(): number;
}

export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }
}
