import { describe, expect, it } from '@jest/globals';
import { VerifiedCallers } from './verified-callers.js';

const caller = { kind: 'key', id: '1', name: 'one', scopes: ['read'] } as const;

describe('remembered answers', () => {
  it('I2: expire, counted from when they were asked for', () => {
    let now = 0;
    const answers = new VerifiedCallers({ now: () => now });
    answers.set('good', caller, 0);
    answers.set('unknown', undefined, 0);
    now = 1_999;
    expect([answers.get('good'), answers.get('unknown')]).toMatchObject([{ caller }, { caller: undefined }]);
    now = 2_000;
    expect(answers.get('unknown')).toBeUndefined();
    now = 9_999;
    expect(answers.get('good')).toMatchObject({ caller });
    now = 10_000;
    expect(answers.get('good')).toBeUndefined();
  });

  it('I1: expire no later than the credential does', () => {
    let now = 0;
    const answers = new VerifiedCallers({ now: () => now });
    answers.set('token', caller, 0, 300);
    now = 299;
    expect(answers.get('token')).toMatchObject({ caller });
    now = 300;
    expect(answers.get('token')).toBeUndefined();
  });

  it('I2: are bounded, and a flood of guesses pushes out no good key', () => {
    const answers = new VerifiedCallers({ capacity: 100, now: () => 0 });
    answers.set('good', caller, 0);
    for (let index = 0; index < 10_000; index++) answers.set(`guess ${index}`, undefined, 0);
    expect(answers.size).toBe(101);
    expect(answers.get('good')).toMatchObject({ caller });
    expect(answers.get('guess 9999')).toBeDefined();
    expect(answers.get('guess 0')).toBeUndefined();
  });

  it('I2: change with the key: what was unknown may be good now, and the other way round', () => {
    const answers = new VerifiedCallers({ now: () => 0 });
    answers.set('key', undefined, 0);
    answers.set('key', caller, 0);
    expect(answers.get('key')).toMatchObject({ caller });
    answers.set('key', undefined, 0);
    expect(answers.get('key')).toMatchObject({ caller: undefined });
    expect(answers.size).toBe(1);
  });
});
