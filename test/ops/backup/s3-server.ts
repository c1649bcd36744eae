/**
 * A small S3-compatible store in memory that believes nobody: each request's signature (AWS Signature Version 4) and the digest
 * of its body are verified. Run by Node itself, in a container: node s3-server.ts KEY_ID SECRET_FILE CERTIFICATE KEY
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';

const PORT = 9000;
const [keyId, secretFile, certificate, key] = process.argv.slice(2) as [string, string, string, string];
const secret = readFileSync(secretFile, 'utf8').trim();

interface StoredObject {
  body: Buffer;
  etag: string;
  modified: Date;
  metadata: Record<string, string>;
}
const objects = new Map<string, StoredObject>();
const uploads = new Map<string, { path: string; metadata: Record<string, string>; parts: Map<number, Buffer> }>();

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (by: string | Buffer, data: string) => createHmac('sha256', by).update(data).digest();
const md5 = (data: Buffer) => createHash('md5').update(data).digest('hex');
const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

/** @throws Refusal unless whoever sent this had the secret, and the body is what was signed */
function authenticate(request: IncomingMessage, url: URL, body: Buffer): void {
  const field = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const match = field.exec(request.headers.authorization ?? '');
  if (!match) throw new Refusal(403, 'AccessDenied');
  const [, credential, signedHeaders, signature] = match as unknown as [string, string, string, string];
  const [id, day, region, service] = credential.split('/') as [string, string, string, string];
  if (id !== keyId) throw new Refusal(403, 'InvalidAccessKeyId');

  const digest = String(request.headers['x-amz-content-sha256']);
  if (/^[0-9a-f]{64}$/.test(digest)) {
    if (digest !== sha256(body)) throw new Refusal(400, 'XAmzContentSHA256Mismatch');
  } else if (digest !== 'UNSIGNED-PAYLOAD') throw new Refusal(501, 'NotImplemented');

  const query = [...url.searchParams]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted()
    .join('&');
  const headers = signedHeaders.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const path = decodeURIComponent(url.pathname).split('/').map(encoded).join('/');
  const canonical = [request.method, path, query, headers.join(''), signedHeaders, digest].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const signing = ['aws4_request', service, region].reduceRight(
    (by, part) => hmac(by, part),
    hmac(`AWS4${secret}`, day),
  );
  if (!timingSafeEqual(hmac(signing, text), Buffer.from(signature, 'hex')))
    throw new Refusal(403, 'SignatureDoesNotMatch');
}

const xml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const element = (name: string, ...content: (string | number)[]) => `<${name}>${content.join('')}</${name}>`;

/** ListObjects, both versions; the page is cut at 100, so that clients have to ask for more. */
function list(bucket: string, query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const after = query.get('continuation-token') ?? query.get('start-after') ?? query.get('marker') ?? '';
  const entries = new Map<string, string>();
  for (const [path, object] of [...objects].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (!path.startsWith(`/${bucket}/${prefix}`)) continue;
    const name = path.slice(bucket.length + 2);
    const end = delimiter ? name.indexOf(delimiter, prefix.length) : -1;
    const folder = end < 0 ? undefined : name.slice(0, end + 1);
    if ((folder ?? name) <= after) continue;
    const size = element('Size', object.body.length);
    const changed = element('LastModified', object.modified.toISOString());
    const tag = element('ETag', xml(`"${object.etag}"`));
    if (folder) entries.set(folder, element('CommonPrefixes', element('Prefix', xml(folder))));
    else
      entries.set(
        name,
        element('Contents', element('Key', xml(name)), changed, tag, size, element('StorageClass', 'STANDARD')),
      );
  }
  const page = [...entries].slice(0, 100);
  const last = page.at(-1)?.[0] ?? '';
  const more = entries.size > page.length;
  const next = more ? element('NextContinuationToken', xml(last)) + element('NextMarker', xml(last)) : '';
  return element(
    'ListBucketResult',
    ...[
      element('Name', bucket),
      element('Prefix', xml(prefix)),
      element('KeyCount', page.length),
      element('MaxKeys', 100),
    ],
    ...[element('IsTruncated', String(more)), next, ...page.map(([, entry]) => entry)],
  );
}

function store(path: string, body: Buffer, metadata: Record<string, string>): string {
  const etag = md5(body);
  objects.set(path, { body, etag, modified: new Date(), metadata });
  return etag;
}

function metadataOf(request: IncomingMessage): Record<string, string> {
  const kept = Object.entries(request.headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

function answer(request: IncomingMessage, response: ServerResponse, url: URL, body: Buffer): void {
  const path = decodeURIComponent(url.pathname);
  const [, bucket, ...name] = path.split('/') as [string, string, ...string[]];
  const query = url.searchParams;
  const upload = query.get('uploadId') ?? '';
  const send = (status: number, text = '', headers: Record<string, string> = {}) =>
    response.writeHead(status, { 'Content-Type': 'application/xml', ...headers }).end(text);

  if (request.method === 'GET' && name.join('') === '') return void send(200, list(bucket, query));
  if (request.method === 'POST' && query.has('delete')) {
    for (const [, found] of body.toString().matchAll(/<Key>([^<]+)<\/Key>/g)) objects.delete(`/${bucket}/${found!}`);
    return void send(200, element('DeleteResult'));
  }
  if (request.method === 'POST' && query.has('uploads')) {
    const id = String(uploads.size + 1);
    uploads.set(id, { path, metadata: metadataOf(request), parts: new Map() });
    return void send(200, element('InitiateMultipartUploadResult', element('UploadId', id)));
  }
  if (request.method === 'PUT' && upload) {
    uploads.get(upload)!.parts.set(Number(query.get('partNumber')), body);
    return void send(200, '', { ETag: `"${md5(body)}"` });
  }
  if (request.method === 'POST' && upload) {
    const { parts, metadata } = uploads.get(upload)!;
    const whole = Buffer.concat([...parts].toSorted(([a], [b]) => a - b).map(([, part]) => part));
    const etag = store(path, whole, metadata);
    return void send(200, element('CompleteMultipartUploadResult', element('ETag', xml(`"${etag}"`))));
  }
  if (request.method === 'PUT') {
    const expected = request.headers['content-md5'];
    if (expected && Buffer.from(String(expected), 'base64').toString('hex') !== md5(body))
      throw new Refusal(400, 'BadDigest');
    return void send(200, '', { ETag: `"${store(path, body, metadataOf(request))}"` });
  }
  if (request.method === 'DELETE') return void send(objects.delete(path) ? 204 : 204);

  const object = objects.get(path);
  if (!object) throw new Refusal(404, 'NoSuchKey');
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const part = range
    ? object.body.subarray(Number(range[1]), range[2] ? Number(range[2]) + 1 : undefined)
    : object.body;
  response.writeHead(range ? 206 : 200, {
    ETag: `"${object.etag}"`,
    'Last-Modified': object.modified.toUTCString(),
    'Content-Length': part.length,
    ...object.metadata,
  });
  response.end(request.method === 'HEAD' ? undefined : part);
}

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const url = new URL(request.url ?? '/', `https://${request.headers.host}`);
    const body = Buffer.concat(chunks);
    try {
      authenticate(request, url, body);
      answer(request, response, url, body);
    } catch (error) {
      const { status, code } = error instanceof Refusal ? error : { status: 500, code: String(error) };
      response
        .writeHead(status, { 'Content-Type': 'application/xml' })
        .end(element('Error', element('Code', xml(code))));
      if (status !== 404) process.stderr.write(`${request.method} ${request.url}: ${code}\n`);
    }
  });
});
server.listen(PORT, () => process.stdout.write('listening\n'));
process.once('SIGTERM', () => process.exit(0));
