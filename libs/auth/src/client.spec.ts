import { describe, expect, it } from '@jest/globals';
import { clientOf, networkOf } from './client.js';

describe('the client of a request', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1:2:3', '2001:db8:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
  ])('I3: %s counts as %s', (address, network) => expect(networkOf(address)).toBe(network));

  it('I1: is recorded with a bounded user agent', () => {
    expect(clientOf({ ip: '192.0.2.7', headers: {} })).toEqual({ address: '192.0.2.7', userAgent: '' });
    expect(clientOf({ ip: '::1', headers: { 'user-agent': 'x'.repeat(1_000) } }).userAgent).toHaveLength(300);
  });
});
