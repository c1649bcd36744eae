import { describe, expect, it } from '@jest/globals';
import type { KeyCaller } from './caller.js';
import { CredentialVerifier, type Found } from './credential-verifier.js';

const caller: KeyCaller = { kind: 'key', id: '1', name: 'one', scopes: ['read'] };

/** Look-ups that are answered when the spec says so. */
function slow() {
  const answers: ((found: Found<KeyCaller> | undefined) => void)[] = [];
  const hashes: Buffer[] = [];
  const verifier = new CredentialVerifier<KeyCaller>((hash) => {
    hashes.push(hash);
    return new Promise((resolve) => answers.push(resolve));
  });
  return { verifier, answers, hashes };
}

describe('a look-up that is on its way', () => {
  it('I2: is one for all who ask meanwhile', async () => {
    const { verifier, answers, hashes } = slow();
    const asked = [verifier.verify('a'), verifier.verify('a')];
    answers[0]!({ hash: hashes[0]!, caller });
    expect(await Promise.all(asked)).toEqual([caller, caller]);
    expect(await verifier.verify('a')).toBe(caller);
    expect(hashes).toHaveLength(1);
  });

  it('I2: is not remembered when something changed meanwhile, nor given to who asks after that', async () => {
    const { verifier, answers, hashes } = slow();
    const before = verifier.verify('a');
    verifier.forget();
    const after = verifier.verify('a');
    answers[0]!({ hash: hashes[0]!, caller });
    answers[1]!(undefined);
    expect([await before, await after, await verifier.verify('a')]).toEqual([caller, undefined, undefined]);
    expect(hashes).toHaveLength(2);
  });

  it('I2: that brings another hash brings nobody', async () => {
    const { verifier, answers } = slow();
    const asked = verifier.verify('a');
    answers[0]!({ hash: Buffer.alloc(32), caller });
    expect(await asked).toBeUndefined();
  });
});
