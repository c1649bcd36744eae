import dns, { type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { isWithin, type Network, parseNetwork, specialNature } from './address-range.js';

/** A target that resolves to an address which is refused. */
export class RefusedAddress extends Error {
  override readonly name = 'RefusedAddress';
  readonly code = 'EYRIE_REFUSED_ADDRESS';

  constructor(
    readonly address: string,
    nature: string,
  ) {
    super(`resolves to ${address}, ${nature}; NOTIFY_ALLOW_PRIVATE does not allow it`);
  }
}

/** The {@link RefusedAddress} at the bottom of an error, whoever wrapped it. */
export function refusalIn(error: unknown): RefusedAddress | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof RefusedAddress) return cause;
  }
  return undefined;
}

/** `all`, `none`, a network, an address, a host name or `*.domain`. */
export function isAllowance(text: string): boolean {
  return (
    text === 'all' || text === 'none' || parseNetwork(text) !== undefined || /^(\*\.)?[a-z\d][a-z\d.-]*$/i.test(text)
  );
}

/**
 * Keeps messages away from addresses that are not public: a URL in the routing file, or a redirect, must not make the
 * hub speak to the machine it runs on, to its neighbours or to a cloud's metadata service. It stands where a connection is
 * made and looks at the address that it is made to, so that names whose answers change do not get around it.
 */
export class AddressGuard {
  /** Everything is allowed. */
  readonly open: boolean;
  private readonly networks: readonly Network[];
  private readonly hosts: readonly string[];

  constructor(allowed: readonly string[]) {
    this.open = allowed.includes('all');
    this.networks = allowed.map(parseNetwork).filter((network) => network !== undefined);
    this.hosts = allowed.filter((entry) => !parseNetwork(entry)).map((host) => host.toLowerCase());
  }

  /** For `net.connect` and `tls.connect`, which do not call it for literal addresses: see {@link refuse}. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const allowed = addresses.filter(({ address }) => !this.refuse(hostname, address));
      const first = allowed[0] ?? addresses[0];
      if (!first) return callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), []);
      if (allowed.length === 0) return callback(this.refuse(hostname, first.address)!, []);
      answer(options.all, allowed, callback);
    });
  };

  /** Why no connection is made to this address of this host; `undefined` where one may be. */
  refuse(hostname: string, address: string): RefusedAddress | undefined {
    if (this.open || this.allowsHost(hostname) || isWithin(address, this.networks)) return undefined;
    const nature = specialNature(address);
    return nature === undefined ? undefined : new RefusedAddress(address, nature);
  }

  /** As {@link refuse}, of a host that is an address itself; names are looked at when they are looked up. */
  refuseLiteral(hostname: string): RefusedAddress | undefined {
    return isIP(hostname) === 0 ? undefined : this.refuse(hostname, hostname);
  }

  private allowsHost(hostname: string): boolean {
    const host = hostname.toLowerCase().replace(/\.$/, '');
    return this.hosts.some((entry) => (entry.startsWith('*.') ? host.endsWith(entry.slice(1)) : host === entry));
  }
}

function answer(
  all: boolean | undefined,
  addresses: readonly LookupAddress[],
  callback: Parameters<LookupFunction>[2],
): void {
  if (all) callback(null, [...addresses]);
  else callback(null, addresses[0]!.address, addresses[0]!.family);
}
