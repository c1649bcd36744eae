import { isIPv4, isIPv6 } from 'node:net';

/** What an address is, in words, where it is no public one. */
type Nature = string;

/** IPv4 networks that are not the public internet (RFC 6890 and IANA's registry of special-purpose addresses). */
const specialIPv4: readonly (readonly [network: string, prefix: number, nature: Nature])[] = [
  ['0.0.0.0', 8, 'an unspecified address'],
  ['10.0.0.0', 8, 'a private address'],
  ['100.64.0.0', 10, 'an address shared behind a carrier'],
  ['127.0.0.0', 8, 'a loopback address'],
  ['169.254.0.0', 16, 'a link-local address'],
  ['172.16.0.0', 12, 'a private address'],
  ['192.0.0.0', 24, 'a reserved address'],
  ['192.0.2.0', 24, 'a documentation address'],
  ['192.88.99.0', 24, 'a reserved address'],
  ['192.168.0.0', 16, 'a private address'],
  ['198.18.0.0', 15, 'a benchmarking address'],
  ['198.51.100.0', 24, 'a documentation address'],
  ['203.0.113.0', 24, 'a documentation address'],
  ['224.0.0.0', 4, 'a multicast address'],
  ['240.0.0.0', 4, 'a reserved address'],
];

/** IPv6: 2000::/3 is the public internet, but for some of it; all else is named here only for the sake of the words. */
const specialIPv6: readonly (readonly [network: string, prefix: number, nature: Nature])[] = [
  ['::', 128, 'an unspecified address'],
  ['::1', 128, 'a loopback address'],
  ['fc00::', 7, 'a private address'],
  ['fe80::', 10, 'a link-local address'],
  ['ff00::', 8, 'a multicast address'],
  ['2001::', 23, 'a reserved address'],
  ['2001:db8::', 32, 'a documentation address'],
  ['3fff::', 20, 'a documentation address'],
];

/** IPv6 networks whose addresses stand for an IPv4 one, and the byte where that begins. */
const embedding: readonly (readonly [network: string, prefix: number, at: number])[] = [
  ['::ffff:0:0', 96, 12], // IPv4-mapped
  ['64:ff9b::', 96, 12], // NAT64, RFC 6052
  ['2002::', 16, 2], // 6to4, RFC 3056
];

/** A network in CIDR notation, or a single address. */
export interface Network {
  readonly bytes: readonly number[];
  readonly prefix: number;
}

/** `undefined` for what is neither `10.0.0.0/8`, `fd00::/8` nor an address. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const bytes = canonical(address);
  if (!bytes || rest.length > 0 || !(isIPv4(address) || isIPv6(address))) return undefined;
  const bits = bytes.length * 8;
  if (length === undefined) return { bytes, prefix: bits };
  if (!/^\d{1,3}$/.test(length)) return undefined;
  // A network of IPv6 that embeds IPv4 was shortened to the latter.
  const prefix = Number(length) - (isIPv6(address) && bytes.length === 4 ? 96 : 0);
  return prefix < 0 || prefix > bits ? undefined : { bytes, prefix };
}

/** Whether one of the networks holds the address, in whichever form it is written. */
export function isWithin(address: string, networks: readonly Network[]): boolean {
  const bytes = canonical(address);
  return bytes !== undefined && networks.some((network) => holds(network, bytes));
}

/** Why an address is not one of the public internet; `undefined` if it is. What cannot be read is not. */
export function specialNature(address: string): Nature | undefined {
  const bytes = canonical(address);
  if (!bytes) return 'no address';
  const special = bytes.length === 4 ? specialIPv4 : specialIPv6;
  const found = special.find(([network, prefix]) => holds({ bytes: bytesOf(network)!, prefix }, bytes));
  if (found) return found[2];
  return bytes.length === 16 && (bytes[0]! & 0xe0) !== 0x20 ? 'a reserved address' : undefined;
}

/** The bytes of an address; 4 for an IPv4 one that is written as IPv6. */
function canonical(address: string): number[] | undefined {
  const bytes = bytesOf(address);
  if (bytes?.length !== 16) return bytes;
  const form = embedding.find(([network, prefix]) => holds({ bytes: bytesOf(network)!, prefix }, bytes));
  return form ? bytes.slice(form[2], form[2] + 4) : bytes;
}

function holds({ bytes: network, prefix }: Network, bytes: readonly number[]): boolean {
  if (network.length !== bytes.length) return false;
  return network.every((byte, index) => {
    const bits = Math.min(Math.max(prefix - index * 8, 0), 8);
    return (byte ^ bytes[index]!) >> (8 - bits) === 0;
  });
}

function bytesOf(address: string): number[] | undefined {
  if (isIPv4(address)) return address.split('.').map(Number);
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain)) return undefined;
  // The URL parser writes every form in one: groups in hexadecimal, the longest run of zeros as "::".
  const [head = '', tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]);
}
