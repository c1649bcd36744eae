import { type EncryptionKeys, UndecryptableError } from './encryption-keys.js';
import { findEncrypted } from './encrypted-value.js';

/** Something wrong in a file, with line and column from 1. */
export interface FileFault {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A file is left as it was. Holds every fault that was found. */
export class FileFaultsError extends Error {
  override readonly name = 'FileFaultsError';

  constructor(readonly faults: readonly FileFault[]) {
    super(faults.map(({ line, column, message }) => `${line}:${column}: ${message}`).join('\n'));
  }
}

/**
 * Encrypts anew, with the first key, what another key has encrypted. Nothing else changes, not a byte; a second time
 * nothing changes at all.
 *
 * @throws FileFaultsError when a value cannot be decrypted
 */
export function rotate(text: string, keys: EncryptionKeys, purpose: string): { text: string; rotated: number } {
  const faults: FileFault[] = [];
  const parts: string[] = [];
  let done = 0;
  let rotated = 0;
  for (const { text: value, keyId, index, line, column } of findEncrypted(text)) {
    try {
      const plain = keys.decrypt(value, purpose);
      if (keyId === keys.ids[0]) continue;
      parts.push(text.slice(done, index), keys.encrypt(plain, purpose));
      done = index + value.length;
      rotated++;
    } catch (error) {
      if (!(error instanceof UndecryptableError)) throw error;
      faults.push({ line, column, message: `the value ${error.message}` });
    }
  }
  if (faults.length > 0) throw new FileFaultsError(faults);
  return { text: [...parts, text.slice(done)].join(''), rotated };
}
