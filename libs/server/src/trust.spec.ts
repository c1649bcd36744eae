import { describe, expect, it } from '@jest/globals';
import { parseTrust, trustOf } from './trust.js';

describe('trustOf', () => {
  it('C3: trusts the networks that are named, and nobody else', () => {
    const trusts = trustOf(['loopback', '192.0.2.0/24', '2001:db8::1']);
    expect(
      ['127.0.0.1', '::1', '::ffff:127.0.0.1', '192.0.2.255', '2001:db8::1'].filter((each) => !trusts(each)),
    ).toEqual([]);
    const strangers = ['10.0.0.1', '192.0.3.1', '2001:db8::2', '', 'nonsense', undefined];
    expect(strangers.filter((each) => trusts(each))).toEqual([]);
    expect(trustOf(['none'])('127.0.0.1')).toBe(false);
    expect(trustOf(['private'])('10.1.2.3')).toBe(true);
  });

  it.each(['10.0.0.0/33', '10.0.0/8', 'example.org', '10.0.0.0/8/8', '::/129', '1.2.3.4/x'])(
    'A2: %s means nothing',
    (entry) => expect(parseTrust(entry)).toBeUndefined(),
  );
});
