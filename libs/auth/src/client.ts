import { isIPv4, isIPv6 } from 'node:net';

/** From where a request came, for the records. */
export interface Client {
  /** Empty where the client was gone before its request was read. */
  address: string;
  userAgent: string;
}

const longestUserAgent = 300;

/** The client of a request; behind a trusted proxy the address is the one that the proxy tells. */
export function clientOf(request: { ip: string | undefined; headers: { 'user-agent'?: string | undefined } }): Client {
  return { address: request.ip ?? '', userAgent: (request.headers['user-agent'] ?? '').slice(0, longestUserAgent) };
}

/**
 * What counts as one client: an IPv4 address, or the /64 network of an IPv6 one, of which everybody has 2^64 addresses.
 */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%');
  const mapped = /^::ffff:([\d.]+)$/i.exec(plain)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - countOf(tail);
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail ? tail.split(':') : [])];
  return `${all
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Groups of 16 bits; an IPv4 address at the end is two. */
function countOf(tail: string): number {
  if (tail === '') return 0;
  return tail.split(':').length + (tail.includes('.') ? 1 : 0);
}
