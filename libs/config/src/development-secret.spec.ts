import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { developmentSecret } from './development-secret.js';

describe('developmentSecret', () => {
  it.each([
    ['the-documented-example', 'a secret of your own, not the documented example'],
    ['k3y-48a7', 'a secret of at least 16 characters'],
    ['changeme-changeme-123', 'a secret that is not made of well-known words'],
    ['my-Super-Secret-Password', 'a secret that is not made of well-known words'],
    ['eyrie-dev-key-0000000001', 'a secret that is not made of well-known words'],
    ['xyxyxyxyxyxyxyxyxyxy', 'a secret of more than a few different characters'],
  ])('A4: refuses %s', (secret, wanted) => {
    expect(developmentSecret(secret, 'the-documented-example')).toBe(wanted);
  });

  it('A4: accepts what a generator makes: hex, base64, UUIDs, pass phrases', () => {
    const made = Array.from({ length: 500 }, () => randomBytes(16)).flatMap((bytes) => [
      bytes.toString('hex'),
      bytes.toString('base64url'),
    ]);
    expect(
      [...made, crypto.randomUUID(), 'correct horse battery staple'].filter((one) => developmentSecret(one)),
    ).toEqual([]);
  });

  it('A4: judges a URL by its password alone, decoded; one without a password is left alone', () => {
    const verdict = (password: string) => developmentSecret(`postgres://eyrie${password}@db.example.com/eyrie`);
    expect(verdict(':postgres')).toBe('a password of at least 16 characters');
    expect(verdict(':%41%42%43%44%45%46')).toBe('a password of at least 16 characters');
    expect(verdict(':changeme%2Dchangeme')).toBe('a password that is not made of well-known words');
    expect(verdict(':v8Rk2pXw9QzL4mTn')).toBeUndefined();
    expect(verdict('')).toBeUndefined();
    expect(developmentSecret('https://hooks.example.com/T0')).toBeUndefined();
  });
});
