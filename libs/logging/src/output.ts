import { writeSync } from 'node:fs';

/** Where lines of log go. */
export interface LogOutput {
  write(line: string): void;
  /** Returns when everything is out, or cannot be. */
  flushSync(): void;
}

const flushEveryMs = 25;
const flushAtLength = 16_384;
const mostPending = 8 * 1024 * 1024;
const patienceMs = 2_000;

/**
 * Writes to a file descriptor, many lines at a time. A full pipe is tried again later rather than waited for, until
 * 8 MiB have gathered; a closed one silences the log. {@link flushSync} waits for a slow reader, but never for ever.
 */
export class DescriptorOutput implements LogOutput {
  private lines = '';
  private rest: Buffer = Buffer.alloc(0);
  private timer?: NodeJS.Timeout;
  private closed = false;

  constructor(private readonly descriptor: number) {}

  write(line: string): void {
    if (this.closed) return;
    this.lines += line;
    if (this.lines.length + this.rest.length >= mostPending) this.flushSync();
    else if (this.lines.length >= flushAtLength) this.flush();
    else this.schedule();
  }

  flushSync(): void {
    let deadline = Date.now() + patienceMs;
    while (this.gather().length > 0 && !this.closed) {
      if (this.writeOnce()) deadline = Date.now() + patienceMs;
      else if (Date.now() > deadline) return;
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }

  private flush(): void {
    if (this.gather().length === 0 || this.closed) return;
    this.writeOnce();
    if (this.rest.length > 0) this.schedule();
  }

  private schedule(): void {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.flush();
    }, flushEveryMs);
    this.timer.unref(); // the exit of the process flushes
  }

  private gather(): Buffer {
    if (this.lines.length > 0) {
      const added = Buffer.from(this.lines);
      this.rest = this.rest.length > 0 ? Buffer.concat([this.rest, added]) : added;
      this.lines = '';
    }
    return this.rest;
  }

  /** True if at least a part went out. */
  private writeOnce(): boolean {
    try {
      const written = writeSync(this.descriptor, this.rest);
      this.rest = this.rest.subarray(written);
      return written > 0;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN' || code === 'EBUSY') return false;
      // EPIPE and the like: nobody reads any more, and no line about it would be read either.
      this.closed = true;
      this.rest = Buffer.alloc(0);
      this.lines = '';
      return false;
    }
  }
}

const outputs = new Set<LogOutput>();

/** Registers an output to be flushed by {@link flushLogs}, and when the process exits. */
export function flushAtExit(output: LogOutput): void {
  if (outputs.size === 0) process.on('exit', flushLogs);
  outputs.add(output);
}

/** Writes out every line that was logged. To be called before `process.exit` and when the process is about to crash. */
export function flushLogs(): void {
  for (const output of outputs) output.flushSync();
}

let standardOutput: LogOutput | undefined;

/** The one output to stdout of this process. */
export function stdout(): LogOutput {
  if (!standardOutput) {
    standardOutput = new DescriptorOutput(1);
    flushAtExit(standardOutput);
  }
  return standardOutput;
}
