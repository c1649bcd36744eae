import type { ConnectionOptions } from 'node:tls';
import type { TlsSettings } from '../config/integration.js';

/** The TLS settings of an integration as Node takes them. */
export function tlsOptions({ key, ...tls }: TlsSettings): ConnectionOptions {
  return { ...tls, ...(key && { key: key.reveal() }) };
}
