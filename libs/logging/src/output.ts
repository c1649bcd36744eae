import cluster from 'node:cluster';
import { fstatSync, writeSync } from 'node:fs';

/** Where lines of log go. */
export interface LogOutput {
  write(line: string): void;
  /** Returns when everything is out, or cannot be. */
  flushSync(): void;
  /** Told how many lines were lost, once lines go out again. */
  onLoss?: (lines: number) => void;
}

const flushEveryMs = 25;
const flushAtLength = 16_384;
/** What may pass: a full pipe, a full disk. Anything else is for good. */
const passingFaults = new Set(['EAGAIN', 'EBUSY', 'EINTR', 'ENOSPC', 'EDQUOT', 'EIO']);

/** What Linux writes into a pipe without another writer in between (POSIX: PIPE_BUF). */
const pipeBuf = 4_096;

export interface DescriptorOptions {
  /** Bytes that may wait for a slow reader. */
  mostPending?: number;
  /** How long to wait for a reader that does not move. */
  patienceMs?: number;
  /** Where others write to the same pipe: what is written at once, in whole lines, so that none is torn apart. */
  atomicBytes?: number;
}

/**
 * Writes to a file descriptor, many lines at a time. A full pipe is tried again later rather than waited for. When 8 MiB
 * have gathered it is waited for, and after 2 s lines are counted instead of kept, until an eighth has gone out. A closed
 * one silences the log. {@link flushSync} waits as long as the reader moves. For a reader that does not move at all
 * nothing waits longer than 2 s, however often it is asked.
 *
 * The descriptor must not block, or the process stands still for as long as its reader does: see {@link stdout}.
 */
export class DescriptorOutput implements LogOutput {
  onLoss?: (lines: number) => void;
  private lines = '';
  private readonly chunks: Buffer[] = [];
  /** Bytes in `chunks`. */
  private waiting = 0;
  private timer?: NodeJS.Timeout;
  private closed = false;
  /** Nothing has gone out since somebody waited for it in vain. */
  private stuck = false;
  private full = false;
  /** Lines that came while it was full. */
  private lost = 0;

  private readonly mostPending: number;
  /** To be free before an output that was too slow takes lines again. */
  private readonly enoughRoom: number;
  private readonly patienceMs: number;
  private readonly atomicBytes?: number;

  constructor(
    private readonly descriptor: number,
    { mostPending = 8 * 1024 * 1024, patienceMs = 2_000, atomicBytes }: DescriptorOptions = {},
  ) {
    this.atomicBytes = atomicBytes;
    this.mostPending = mostPending;
    this.enoughRoom = mostPending / 8;
    this.patienceMs = patienceMs;
  }

  write(line: string): void {
    if (this.closed) return;
    if (this.full) {
      this.lost += 1;
      return;
    }
    this.lines += line;
    if (exiting) this.flushSync();
    else if (this.lines.length >= flushAtLength) this.flush();
    else this.schedule();
    if (this.waiting >= this.mostPending) this.full = !this.drain(this.mostPending - this.enoughRoom);
  }

  flushSync(): void {
    // The second time for the line about lost ones, if there is one.
    for (let time = 0; time < 2; time += 1) {
      this.gather();
      while (this.waiting > 0 && this.drain(this.waiting - 1));
      if (time === 0) this.tellLoss();
    }
  }

  private flush(): void {
    this.gather();
    while (this.waiting > 0 && this.writeOnce());
    if (this.waiting > 0) this.schedule();
    this.tellLoss();
  }

  private tellLoss(): void {
    if (!this.full || this.waiting > this.mostPending - this.enoughRoom) return;
    const { lost } = this;
    this.full = false;
    this.lost = 0;
    if (lost > 0) this.onLoss?.(lost);
  }

  /** Waits until no more than so many bytes are left; false if that took too long. */
  private drain(bytes: number): boolean {
    const deadline = this.stuck ? 0 : Date.now() + this.patienceMs;
    while (this.waiting > bytes) {
      if (this.writeOnce()) continue;
      if (Date.now() >= deadline) {
        this.stuck = true;
        return false;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
    return true;
  }

  private schedule(): void {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.flush();
    }, flushEveryMs);
    this.timer.unref(); // the exit of the process flushes
  }

  private gather(): void {
    if (this.lines.length === 0) return;
    const chunk = Buffer.from(this.lines);
    this.lines = '';
    this.chunks.push(chunk);
    this.waiting += chunk.length;
  }

  private pieceOf(chunk: Buffer): Buffer {
    return this.atomicBytes === undefined ? chunk : wholeLines(chunk, this.atomicBytes);
  }

  /** True if at least a part went out. */
  private writeOnce(): boolean {
    const [chunk] = this.chunks;
    if (!chunk) return false;
    try {
      const written = writeSync(this.descriptor, this.pieceOf(chunk));
      this.waiting -= written;
      if (written > 0) this.stuck = false;
      if (written === chunk.length) this.chunks.shift();
      else this.chunks[0] = chunk.subarray(written);
      return written > 0;
    } catch (error) {
      if (passingFaults.has(String((error as NodeJS.ErrnoException).code))) return false;
      // EPIPE and the like: nobody reads any more, and no line about it would be read either.
      this.closed = true;
      this.chunks.length = 0;
      this.waiting = 0;
      this.lines = '';
      return false;
    }
  }
}

const newline = 10;

/** As many whole lines as fit into the bytes, but at least one. */
export function wholeLines(chunk: Buffer, bytes: number): Buffer {
  if (chunk.length <= bytes) return chunk;
  const last = chunk.lastIndexOf(newline, bytes - 1);
  const end = last >= 0 ? last : chunk.indexOf(newline);
  return end < 0 ? chunk : chunk.subarray(0, end + 1);
}

const outputs = new Set<LogOutput>();
/** From then on no timer runs any more: each line is written at once. */
let exiting = false;

/** Registers an output to be flushed by {@link flushLogs}, and when the process exits. */
export function flushAtExit(output: LogOutput): void {
  if (outputs.size === 0) {
    process.on('exit', () => {
      exiting = true;
      flushLogs();
    });
  }
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
    // Node makes a pipe or socket non-blocking when its stream is first looked at.
    if (isPipe(1)) void process.stdout;
    const isShared = cluster.isWorker && isPipe(1);
    standardOutput = new DescriptorOutput(1, isShared ? { atomicBytes: pipeBuf } : {});
    flushAtExit(standardOutput);
  }
  return standardOutput;
}

function isPipe(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isFIFO() || stats.isSocket();
  } catch {
    return false; // closed from the start
  }
}
