import { describe, expect, it } from '@jest/globals';
import { isWithin, parseNetwork, specialNature } from './address-range.js';

describe('I4: addresses', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'carrier'],
    ['169.254.169.254', 'link-local'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['198.18.0.1', 'benchmarking'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['fd00:ec2::254', 'private'],
    ['fc00::1', 'private'],
    ['ff02::1', 'multicast'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:a9fe:a9fe', 'link-local'],
    ['::127.0.0.1', 'reserved'],
    ['::ffff:0:127.0.0.1', 'reserved'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['64:ff9b::169.254.169.254', 'link-local'],
    ['64:ff9b:1::1', 'reserved'],
    ['2002:7f00:1::', 'loopback'],
    ['2002:c0a8:101::1', 'private'],
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'reserved'],
    ['2001:db8::1', 'documentation'],
    ['100::1', 'reserved'],
    ['not an address', 'no address'],
    ['127.1', 'no address'],
  ])('%s is not public: %s', (address, nature) => expect(specialNature(address)).toContain(nature));

  it.each(['1.1.1.1', '172.15.255.255', '172.32.0.1', '100.128.0.1', '223.255.255.255', '2606:4700::1111'])(
    '%s is public',
    (address) => expect(specialNature(address)).toBeUndefined(),
  );

  it.each(['::ffff:8.8.8.8', '64:ff9b::808:808', '2002:808:808::1'])('%s stands for a public one', (address) =>
    expect(specialNature(address)).toBeUndefined(),
  );

  it('lie in networks, in whichever form either is written', () => {
    const networks = ['10.1.0.0/16', 'fd00::/8', '192.168.1.7', '::ffff:172.16.0.0/108'].map((text) =>
      parseNetwork(text)!,
    );
    const inside = ['10.1.255.1', '::ffff:10.1.0.1', 'fdff::1', '192.168.1.7', '172.31.0.1'];
    const outside = ['10.2.0.1', 'fe80::1', '192.168.1.8', '172.32.0.1', 'x'];
    expect(inside.filter((address) => !isWithin(address, networks))).toEqual([]);
    expect(outside.filter((address) => isWithin(address, networks))).toEqual([]);
  });

  it.each(['10.0.0.0/33', '10.0.0/8', 'fd00::/129', '10.0.0.0/8/8', '10.0.0.0/', '/8', 'host', '10.0.0.0/-1'])(
    '%s is no network',
    (text) => expect(parseNetwork(text)).toBeUndefined(),
  );
});
