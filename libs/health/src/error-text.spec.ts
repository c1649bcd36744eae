import { describe, expect, it } from '@jest/globals';
import { errorText } from './error-text.js';

describe('errorText', () => {
  it.each<[unknown, string]>([
    [new Error('refused'), 'refused'],
    [
      new Error('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') }),
      'fetch failed: connect ECONNREFUSED 127.0.0.1:1',
    ],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    ['a text', 'a text'],
    [undefined, 'failed'],
    [{}, 'failed'],
    [Object.create(null), 'failed'],
    [new Error('two\n  lines'), 'two lines'],
  ])('F5: of %p', (error, text) => expect(errorText(error)).toBe(text));

  it.each([
    'connect to postgres://eyrie:hunter2@db.internal:5432/eyrie?sslmode=require failed',
    'connect to redis://default:hunter2@db.internal:6379/0',
    'postgresql://db.internal/eyrie?user=eyrie&password=hunter2',
    'could not open "host=db.internal port=5432 user=eyrie password=hunter2 dbname=eyrie"',
    "host='db.internal' password='hunter2'",
    'amqps://eyrie:hunter2@db.internal/vhost, then https://db.internal/x?token=hunter2',
    'Authorization: Bearer hunter2hunter2',
    '(see postgres://eyrie:hunter2@db.internal/eyrie.)',
  ])('F5: never shows a connection string: %s', (message) => {
    for (const error of [new Error(message), new Error('outer', { cause: new Error(message) }), message]) {
      expect(errorText(error)).not.toMatch(/hunter2|db\.internal|eyrie/);
    }
  });

  it('F5: is short, and made even of what cannot be read', () => {
    expect(errorText(new Error('🦅'.repeat(1_000))).length).toBeLessThanOrEqual(201);
    const hostile = {
      get message(): string {
        throw new Error('no');
      },
    };
    expect(errorText(hostile)).toBe('failed');
    const endless = new Error('round');
    endless.cause = endless;
    expect(errorText(endless)).toBe('round');
  });
});
