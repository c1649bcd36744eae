import { BlockList, isIP } from 'node:net';

const named: Record<string, readonly string[]> = {
  none: [],
  loopback: ['127.0.0.0/8', '::1/128'],
  // RFC 1918, RFC 6598, link-local, RFC 4193
  private: [
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '100.64.0.0/10',
    '169.254.0.0/16',
    'fc00::/7',
    'fe80::/10',
  ],
};

interface Network {
  address: string;
  bits: number;
  family: 'ipv4' | 'ipv6';
}

/** The networks that an entry of TRUST_PROXY means; `undefined` if it means nothing. */
export function parseTrust(entry: string): Network[] | undefined {
  const networks = (named[entry] ?? [entry]).map(parseNetwork);
  return networks.every((network) => network !== undefined) ? networks : undefined;
}

function parseNetwork(text: string): Network | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return undefined;
  const most = version === 4 ? 32 : 128;
  const bits = length === undefined ? most : /^\d{1,3}$/.test(length) ? Number(length) : NaN;
  return bits <= most ? { address, bits, family: `ipv${version as 4 | 6}` } : undefined;
}

const mostRemembered = 4_096;

/**
 * Whether an address is one of a trusted proxy. That of a peer which is gone is undefined, and nobody's. Answers are
 * remembered: the same few peers ask all the time.
 */
export function trustOf(entries: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const { address, bits, family } of entries.flatMap((entry) => parseTrust(entry) ?? [])) {
    list.addSubnet(address, bits, family);
  }
  const remembered = new Map<string, boolean>();
  return (address) => {
    if (address === undefined) return false;
    let answer = remembered.get(address);
    if (answer === undefined) {
      // An IPv4 peer of a dual-stack socket comes as ::ffff:10.0.0.1
      const plain = address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
      const version = isIP(plain);
      answer = version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
      if (remembered.size >= mostRemembered) remembered.clear();
      remembered.set(address, answer);
    }
    return answer;
  };
}
