import { Injectable } from '@nestjs/common';

/**
 * Says that this process has committed events of alerts, whichever: who wants them reads them. A listener costs the writer
 * its own time, so it should only wake somebody.
 */
@Injectable()
export class EventWrites {
  private readonly listeners = new Set<() => void>();

  /** Calls the listener after each commit that held events; returns how to end that. */
  onCommit(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** For whoever writes events, after the commit. */
  committed(): void {
    for (const listener of this.listeners) listener();
  }
}
