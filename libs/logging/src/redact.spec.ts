import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hideSecrets, redact, redactLine, redactUrl } from './redact.js';

const planted = 'hunter2-Zq9';

describe('redact', () => {
  it.each([
    `postgres://eyrie:${planted}@db:5432/eyrie refused`,
    `https://${planted}@hooks.example/x`,
    `https://user:p@ss${planted}@hooks.example/x`,
    `Authorization: Bearer ${planted}`,
    `authorization: Basic ${Buffer.from(`me:${planted}`).toString('base64')}`,
    `sent bearer ${planted} to the receiver`,
    `Cookie: sid=${planted}; theme=dark; other=${planted}`,
    `set-cookie: "sid=${planted}"`,
    `{"password":"${planted}"}`,
    `{"password": "a\\"b${planted}"}`,
    `body was {\\"client_secret\\":\\"${planted}\\"}`,
    `POST /login?user=me&token=${planted}&x=1`,
    `SMTP auth failed, smtp_auth_password='${planted}'`,
    `{ apiKey: '${planted}' }`,
    `routing_credentials => ${planted}`,
    `-----BEGIN RSA PRIVATE KEY-----\n${planted}\n-----END RSA PRIVATE KEY-----`,
  ])('C5: hides the secret in the text %j', (text) => {
    const result = redact(text);
    expect(result).not.toContain(planted);
    expect(result).not.toContain(Buffer.from(`me:${planted}`).toString('base64'));
    expect(result).toContain('[redacted]');
  });

  it('C5: leaves the rest of a text readable', () => {
    expect(redact(`GET http://db:5432/x?token=${planted}&page=2 failed`)).toBe(
      'GET http://db:5432/x?token=[redacted]&page=2 failed',
    );
    expect(redact('Unexpected token } in JSON at position 4')).toBe('Unexpected token } in JSON at position 4');
    expect(redact('basic health checks passed')).toBe('basic health checks passed');
    expect(redact('ops@example.org was told')).toBe('ops@example.org was told');
  });

  it('C5: hides values under telling keys at any depth, and leaves the given object alone', () => {
    const given = {
      headers: { Authorization: 'x', 'set-cookie': ['a', 'b'], accept: '*/*' },
      list: [{ smtp: { authPassword: 12345, on: true } }],
      nested: { credentials: { user: planted } },
    };
    const before = structuredClone(given);
    expect(redact(given)).toEqual({
      headers: { Authorization: '[redacted]', 'set-cookie': '[redacted]', accept: '*/*' },
      list: [{ smtp: { authPassword: '[redacted]', on: true } }],
      nested: { credentials: '[redacted]' },
    });
    expect(given).toEqual(before);
  });

  it('C5: copes with cycles and with __proto__ as a key', () => {
    const cycle: Record<string, unknown> = { token: planted };
    cycle.self = cycle;
    const result = redact(cycle);
    expect(result.self).toBe(result);
    const hostile = redact(JSON.parse(`{"__proto__":{"token":"${planted}"}}`) as object);
    expect(Object.getPrototypeOf(hostile)).toBe(Object.prototype);
    expect(JSON.stringify(hostile)).toBe('{"__proto__":{"token":"[redacted]"}}');
  });

  it('C5: hides secrets that are known literally, also escaped and encoded', () => {
    hideSecrets(['k"ey/with specials', 'tiny']);
    const line = JSON.stringify({ message: 'tiny k"ey/with specials', url: encodeURIComponent('k"ey/with specials') });
    expect(JSON.parse(redactLine(line))).toEqual({ message: 'tiny [redacted]', url: '[redacted]' });
  });

  it('C5: a line stays valid JSON with the same innocent fields whatever is in it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (extra, tail) => {
        const line = JSON.stringify({ ...extra, level: 'info', message: `password=${planted} ${tail}` });
        const result = JSON.parse(redactLine(line)) as Record<string, unknown>;
        expect(result.level).toBe('info');
        expect(JSON.stringify(result)).not.toContain(planted);
      }),
    );
  });

  it('C5: takes linear time on a megabyte of bait', () => {
    for (const bait of [
      'a',
      'token',
      'token:',
      '://',
      'basic ',
      '"password":"',
      'cookie=',
      '-----BEGIN PRIVATE KEY-----',
      '-eyJ-',
      'SG.aaaaaaaaaaaaaaaaaaaa.',
      'a:b@',
      '://a:b',
      '%3A%2F%2Fa',
      'password%3D%25',
      '--token ',
      '<token>',
      'token:[{',
      'token:\\\\"',
      'Key (token',
    ]) {
      const started = performance.now();
      redact(bait.repeat(1_000_000 / bait.length)); // all of it is looked at, and in what is suspicious the first 64 KiB
      redact(`password=x ${bait.repeat(60_000 / bait.length)}`);
      expect(performance.now() - started).toBeLessThan(5_000);
    }
  });

  it('C3: hides the values of telling query parameters in a URL, however their names are encoded', () => {
    expect(redactUrl('/a?b=1&api_key=x&c=2')).toBe('/a?b=1&api_key=[redacted]&c=2');
    expect(redactUrl('/a?%74oken=x&%zz=1')).toBe('/a?%74oken=[redacted]&%zz=1');
    expect(redactUrl('/token/list')).toBe('/token/list');
  });
});
