import { timingSafeEqual } from 'node:crypto';
import type { Caller } from './caller.js';
import { hashCredentialAsText, longestCredential } from './credential.js';
import { VerifiedCallers } from './verified-callers.js';

/** What is stored under a hash. */
export interface Found<C extends Caller> {
  hash: Buffer;
  caller: C;
  /** How long the credential is good from now on; without end if left out. */
  validForMs?: number;
}

/**
 * Tells whose a credential is. Answers are remembered for 10 seconds (2 if it is nobody's); many requests with one
 * credential at once make one look-up.
 */
export class CredentialVerifier<C extends Caller> {
  private readonly verified = new VerifiedCallers<C>();
  private lookups = new Map<string, Promise<C | undefined>>();

  constructor(private readonly find: (hash: Buffer) => Promise<Found<C> | undefined>) {}

  /** @throws DatabaseUnavailableError when the database is gone and no answer is remembered */
  async verify(credential: string): Promise<C | undefined> {
    if (credential.length > longestCredential) return undefined;
    const hash = hashCredentialAsText(credential);
    const remembered = this.verified.get(hash);
    return remembered ? remembered.caller : this.lookUp(hash);
  }

  /** Forgets every answer, and those that are on their way: they may be from before a change. */
  forget(): void {
    this.verified.clear();
    this.lookups = new Map();
  }

  private lookUp(hash: string): Promise<C | undefined> {
    const { lookups } = this;
    const underway = lookups.get(hash);
    if (underway) return underway;
    const lookup = this.ask(Buffer.from(hash, 'base64'), (caller, askedAt, validForMs) => {
      if (lookups === this.lookups) this.verified.set(hash, caller, askedAt, validForMs);
    }).finally(() => lookups.delete(hash));
    lookups.set(hash, lookup);
    return lookup;
  }

  private async ask(
    hash: Buffer,
    remember: (caller: C | undefined, askedAt: number, validForMs?: number) => void,
  ): Promise<C | undefined> {
    const askedAt = Date.now();
    const found = await this.find(hash);
    // The index has compared already, byte by byte; how long that took tells about the hash, which nobody can choose.
    const caller = found && timingSafeEqual(found.hash, hash) ? found.caller : undefined;
    remember(caller, askedAt, found?.validForMs);
    return caller;
  }
}
