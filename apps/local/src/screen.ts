import type { Writable } from 'node:stream';

/** The terminal of the person who typed `npm start`. */
export class Screen {
  constructor(
    private readonly out: Writable = process.stdout,
    private readonly err: Writable = process.stderr,
  ) {
    for (const stream of [out, err]) stream.on('error', () => undefined); // a terminal that was closed must not stop the drain
  }

  /** Shows text, which may have several lines. */
  show(text: string): void {
    this.out.write(`${text}\n`);
  }

  /** Shows what went wrong. */
  complain(sentence: string): void {
    this.err.write(`${sentence}\n`);
  }
}
