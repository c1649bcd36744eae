/** Where Alertmanager wants a URL, an encrypted one stands behind this: its parser is content, and no name server knows it. */
const URL_PREFIX = 'https://encrypted.invalid/';

/** Of a key: short, and nothing that would have to be quoted anywhere. */
export const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;

const VALUE = /^enc:v1:([A-Za-z0-9_-]{1,32}):([A-Za-z0-9_-]+)$/;

/** An encrypted value wherever it stands in a text. */
const ANYWHERE = /(?<![A-Za-z0-9_:-])enc:v1:([A-Za-z0-9_-]{1,32}):[A-Za-z0-9_-]+/g;

/** `enc:v1:<key id>:<data>` in its parts. */
export interface EncryptedValue {
  readonly keyId: string;
  /** Nonce, ciphertext and tag. */
  readonly data: Buffer;
}

/** Whether a text means to be an encrypted value, be it a whole one or not: what is broken must not pass for a secret. */
export function isEncrypted(text: string): boolean {
  return /^enc:v\d+:/.test(text) || text.startsWith(URL_PREFIX);
}

/** Undefined for what is cut off, or of another version. */
export function parseEncrypted(text: string): EncryptedValue | undefined {
  const [, keyId, data] = VALUE.exec(text.startsWith(URL_PREFIX) ? text.slice(URL_PREFIX.length) : text) ?? [];
  return keyId && data ? { keyId, data: Buffer.from(data, 'base64url') } : undefined;
}

/** What {@link parseEncrypted} reads. */
export function formatEncrypted({ keyId, data }: EncryptedValue): string {
  return `enc:v1:${keyId}:${data.toString('base64url')}`;
}

/** How an encrypted value is written where the plain one stood: that of a URL as a URL. {@link parseEncrypted} reads both. */
export function writtenFor(plain: string, encrypted: string): string {
  return /^https?:/i.test(plain) ? `${URL_PREFIX}${encrypted}` : encrypted;
}

/** An encrypted value in a text, with its place: line and column from 1. */
export interface FoundValue {
  readonly text: string;
  readonly keyId: string;
  readonly index: number;
  readonly line: number;
  readonly column: number;
}

/** The encrypted values of any text, comments included: they may be put into force again one day. */
export function findEncrypted(text: string): FoundValue[] {
  let line = 1;
  let lineStart = 0;
  return [...text.matchAll(ANYWHERE)].map((match) => {
    for (
      let end = text.indexOf('\n', lineStart);
      end !== -1 && end < match.index;
      end = text.indexOf('\n', lineStart)
    ) {
      line++;
      lineStart = end + 1;
    }
    return { text: match[0], keyId: match[1]!, index: match.index, line, column: match.index - lineStart + 1 };
  });
}
