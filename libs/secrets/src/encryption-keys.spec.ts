import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { EncryptionKeys } from './encryption-keys.js';

const key = (id: string, byte: number) => `${id}:${Buffer.alloc(32, byte).toString('base64')}`;
const [old, current] = [key('old', 1), key('current', 2)];
const keys = EncryptionKeys.parse(`${current}, ${old}`);

const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return 'not refused';
};

describe('keys of encrypted secrets', () => {
  it('I4: give back what was encrypted, which never looks the same twice', () => {
    for (const value of ['hunter2', '', 'ключ 🔑\n', 'x'.repeat(10_000)]) {
      const [one, other] = [keys.encrypt(value, 'receivers'), keys.encrypt(value, 'receivers')];
      expect(one).toMatch(/^enc:v1:current:[\w-]+$/);
      expect(one).not.toBe(other);
      expect([keys.decrypt(one, 'receivers'), keys.decrypt(other, 'receivers')]).toEqual([value, value]);
    }
  });

  it('I4: the first encrypts, all decrypt', () => {
    const before = EncryptionKeys.parse(old).encrypt('hunter2', 'receivers');
    expect(keys.decrypt(before, 'receivers')).toBe('hunter2');
    expect(keys.ids).toEqual(['current', 'old']);
  });

  it('I4: an encrypted URL stands behind a host that cannot exist', () => {
    const encrypted = `https://encrypted.invalid/${keys.encrypt('https://hook.test/x', 'receivers')}`;
    expect(keys.decrypt(encrypted, 'receivers')).toBe('https://hook.test/x');
  });

  it('I4: a value that was altered in any place, cut off or lengthened is refused', () => {
    const encrypted = keys.encrypt('hunter2', 'receivers');
    const start = encrypted.lastIndexOf(':') + 1;
    const data = Buffer.from(encrypted.slice(start), 'base64url');
    for (const index of data.keys()) {
      const altered = Buffer.from(data);
      altered[index]! ^= 1;
      const message = refusal(() =>
        keys.decrypt(encrypted.slice(0, start) + altered.toString('base64url'), 'receivers'),
      );
      expect(message).toContain('altered');
    }
    for (let length = start + 1; length < encrypted.length - 1; length++) {
      expect(refusal(() => keys.decrypt(encrypted.slice(0, length), 'receivers'))).toContain('altered');
    }
    expect(refusal(() => keys.decrypt(`${encrypted}AAAA`, 'receivers'))).toContain('altered');
    for (const broken of [encrypted.slice(0, start), 'enc:v2:current:AAAA', `${encrypted}!`, 'enc:v1:current']) {
      expect(refusal(() => keys.decrypt(broken, 'receivers'))).toContain('not a whole encrypted value');
    }
  });

  it('I4: a value for one purpose, or under one key, is none for another', () => {
    const encrypted = keys.encrypt('hunter2', 'receivers');
    expect(refusal(() => keys.decrypt(encrypted, 'sessions'))).toContain('altered');
    expect(refusal(() => keys.decrypt(encrypted.replace(':current:', ':old:'), 'receivers'))).toContain('altered');
    const twin = EncryptionKeys.parse(`old:${current.split(':')[1]!}`);
    expect(refusal(() => twin.decrypt(encrypted.replace(':current:', ':old:'), 'receivers'))).toContain('altered');
  });

  it('I4: a key that is missing is named, the value never', () => {
    const encrypted = keys.encrypt('hunter2', 'receivers');
    const message = refusal(() => EncryptionKeys.parse(old).decrypt(encrypted, 'receivers'));
    expect(message).toBe('is encrypted with the key "current", which ENCRYPTION_KEYS does not have');
  });

  it('I4: keys of the wrong form are refused without being shown', () => {
    const secret = Buffer.alloc(31, 7).toString('base64');
    const wrong: [text: string, why: RegExp][] = [
      ['', /key 1 is not of the form/],
      [secret, /key 1 is not of the form/],
      [`${old},`, /key 2 is not of the form/],
      [`a b:${secret}`, /key 1 is not of the form/],
      [`${old}:more`, /key 1 is not of the form/],
      [`short:${secret}`, /the key short is not 32 bytes/],
      [`long:${Buffer.alloc(33, 7).toString('base64')}`, /the key long is not 32 bytes/],
      [`hex:${Buffer.alloc(32, 7).toString('hex')}`, /the key hex is not 32 bytes/],
      [`words:${'not base64! '.repeat(4)}`, /the key words is not 32 bytes/],
      [`${old},${old}`, /two keys have the id old/],
    ];
    for (const [text, why] of wrong) {
      const message = refusal(() => EncryptionKeys.parse(text));
      expect(message).toMatch(why);
      expect(message).not.toContain(secret);
    }
  });

  it('I4: a new key is one that can be read', () => {
    const [one, other] = [EncryptionKeys.generate('2026-11'), EncryptionKeys.generate('2026-11')];
    expect(one).not.toBe(other);
    expect(EncryptionKeys.parse(one).ids).toEqual(['2026-11']);
    expect(refusal(() => EncryptionKeys.generate('a:b'))).toContain('the id of a key');
  });

  it('C5: printed by accident, they tell nothing', () => {
    const shown = `${inspect(keys, { depth: 9, showHidden: true })} ${JSON.stringify(keys)}`;
    for (const text of [old, current]) expect(shown).not.toContain(text.split(':')[1]);
  });
});
