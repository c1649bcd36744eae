import { describe, expect, it } from '@jest/globals';
import { performance } from 'node:perf_hooks';
import { hash, parseOptions } from '@node-rs/argon2';
import { Passwords, PasswordsBusyError } from './passwords.js';

const passwords = new Passwords();

describe('passwords', () => {
  it('I1: are hashed with argon2id at OWASP’s parameters, each with its own salt', async () => {
    const [one, other] = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(parseOptions(one)).toMatchObject({ memoryCost: 19_456, timeCost: 2, parallelism: 1, saltLen: 16 });
    expect(one).not.toBe(other);
    expect(await passwords.verify('correct horse', one)).toBe(true);
    expect(await passwords.verify('correct horsf', one)).toBe(false);
  });

  it('I1: are the same however a keyboard composes their characters', async () => {
    expect(await passwords.verify('cafe\u0301 au lait', await passwords.hash('caf\u00e9 au lait'))).toBe(true);
  });

  it('I1: are found out to be outdated when the parameters have changed', async () => {
    expect(await passwords.isOutdated(await passwords.hash('x'))).toBe(false);
    expect(await passwords.isOutdated(await hash('x', { memoryCost: 8_192 }))).toBe(true);
    expect(await passwords.isOutdated(await hash('x', { timeCost: 3 }))).toBe(true);
    expect(await passwords.isOutdated(await hash('x', { algorithm: 1 }))).toBe(true);
  });

  it('I1: take as long to refuse for nobody as for somebody', async () => {
    const stored = await passwords.hash('correct horse');
    const time = async (of: string | undefined) => {
      const times: number[] = [];
      for (let index = 0; index < 9; index++) {
        const started = performance.now();
        expect(await passwords.verify('wrong', of)).toBe(false);
        times.push(performance.now() - started);
      }
      return Math.min(...times);
    };
    const [somebody, nobody] = [await time(stored), await time(undefined)];
    expect(nobody / somebody).toBeGreaterThan(0.5);
    expect(nobody / somebody).toBeLessThan(2);
  });

  it('I1: wait in a bounded line', async () => {
    const line = new Passwords();
    const all = await Promise.allSettled(Array.from({ length: 105 }, () => line.verify('x', undefined)));
    const refused = all.filter((each) => each.status === 'rejected');
    expect(refused).toHaveLength(3);
    expect(refused.every(({ reason }) => reason instanceof PasswordsBusyError)).toBe(true);
    expect(await line.verify('x', undefined)).toBe(false);
  });
});
