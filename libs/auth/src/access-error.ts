/** Why something was refused: what was asked is not valid, or is taken, or is not there, or would do harm. */
export type AccessFault = 'invalid' | 'taken' | 'missing' | 'refused';

/** What was asked of keys, users or sessions cannot be done; the message tells the person who asked why. */
export class AccessError extends Error {
  override readonly name: string = 'AccessError';

  constructor(
    readonly fault: AccessFault,
    message: string,
  ) {
    super(message);
  }
}
