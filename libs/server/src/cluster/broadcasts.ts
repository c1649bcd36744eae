import type { Broadcast } from './messages.js';

interface Receiver {
  send(message: Broadcast): void;
}

/** Hands what one process has to tell to all others, and remembers what later ones have to know as well. */
export class Broadcasts {
  private readonly sticky = new Map<string, Broadcast>();

  relay(message: Broadcast, others: Iterable<Receiver>): void {
    if (message.sticky) this.sticky.set(message.channel, message);
    for (const other of others) other.send(message);
  }

  /** What a new process has missed: the last sticky message of each channel. */
  replay(to: Receiver): void {
    for (const message of this.sticky.values()) to.send(message);
  }
}
