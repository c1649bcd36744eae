import { randomBytes } from 'node:crypto';

/** OWASP's minimum for argon2id: 19 MiB, two passes, one lane. A hash with other parameters is made anew at the next login. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Loaded where the first password is checked: the worker, which asks for none, goes without. */
const argon2 = () => import('@node-rs/argon2');

/** The number that argon2id has in the library, and version 1.3 of the algorithm. */
const ARGON2ID = 2;

/** Hashes at once: they run on threads that everything else shares, and each takes 19 MiB. */
const atOnce = 2;

/** At some 40 a second that is two seconds of waiting, after which nobody would be served well. */
const mostWaiting = 100;

/** So many passwords wait to be checked that another would have to wait too long. */
export class PasswordsBusyError extends Error {
  override readonly name = 'PasswordsBusyError';
}

/**
 * A hash that no password has, with the parameters of today: who checks a password against it, for want of an account,
 * takes as long as with one.
 */
const nobodysHash = (() => {
  const unpadded = (bytes: number) => randomBytes(bytes).toString('base64').replace(/=+$/, '');
  const { memoryCost, timeCost, parallelism } = parameters;
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${unpadded(16)}$${unpadded(32)}`;
})();

/** Hashes and checks passwords with argon2id, beside the event loop and never more than two at once. */
export class Passwords {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /** @throws PasswordsBusyError */
  hash(password: string): Promise<string> {
    return this.inTurn(async () => (await argon2()).hash(password.normalize('NFKC'), parameters));
  }

  /**
   * Whether the password is the right one. Without a hash it is not, and that takes as long to find out.
   * @throws PasswordsBusyError
   */
  async verify(password: string, stored: string | undefined): Promise<boolean> {
    const isRight = await this.inTurn(async () =>
      (await argon2()).verify(stored ?? nobodysHash, password.normalize('NFKC')),
    );
    return isRight && stored !== undefined;
  }

  /** Whether a hash was made with other parameters than those of today. */
  async isOutdated(stored: string): Promise<boolean> {
    const { algorithm, memoryCost, timeCost, parallelism } = (await argon2()).parseOptions(stored);
    return (
      (algorithm as number) !== ARGON2ID ||
      memoryCost !== parameters.memoryCost ||
      timeCost !== parameters.timeCost ||
      parallelism !== parameters.parallelism
    );
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < atOnce) this.running++;
    else if (this.waiting.length >= mostWaiting) throw new PasswordsBusyError('Too many passwords wait to be checked');
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The turn is handed on, so that nobody who comes just now slips in before those who wait.
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}
