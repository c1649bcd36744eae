import { describe, expect, it } from '@jest/globals';
import { generatePassword, passwordFault } from './password-policy.js';

const ann = { email: 'ann@example.org', name: 'Ann Archer' };

describe('a new password', () => {
  it.each([
    ['14 characters.', /at least 15/],
    ['𝒶𝒷𝒸𝒹𝑒𝒻', /at least 15/],
    ['x'.repeat(201), /at most 200/],
    ['abababababababab', /5 different/],
    ['correct horse \ud800 battery', /whole characters/],
    ['ANN@example.org', /email address/],
    ['ann archer 1234', /name/],
  ])('I1: may not be %j', (password, fault) => expect(passwordFault(password, ann)).toMatch(fault));

  it.each(['correct horse battery', 'p4ssphrase of ann', '密碼是很長的一句話喔真的很長啊', generatePassword()])(
    'I1: may be %j',
    (password) => expect(passwordFault(password, ann)).toBeUndefined(),
  );
});
