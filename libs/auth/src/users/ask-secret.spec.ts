import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { askSecret, NothingAnsweredError } from './ask-secret.js';

/** Types into a terminal and gives what was shown. */
function typing(keys: string) {
  const input = new PassThrough();
  const shown: string[] = [];
  const answer = askSecret('Password: ', { input, output: { write: (text) => shown.push(text) } });
  input.write(keys);
  return { answer, shown };
}

describe('a secret asked at a terminal', () => {
  it('I1: is not echoed', async () => {
    const { answer, shown } = typing('correct horse\r');
    expect(await answer).toBe('correct horse');
    expect(shown).toEqual(['Password: ', '\n']);
  });

  it('I1: can be corrected while it is typed', async () => {
    expect(await typing('horsf\x7fe\r').answer).toBe('horse');
  });

  it.each([
    ['Ctrl-C', 'corr\x03'],
    ['Ctrl-D', '\x04'],
  ])('I1: is given up with %s', async (_title, keys) => {
    await expect(typing(keys).answer).rejects.toBeInstanceOf(NothingAnsweredError);
  });
});
