import { createSecureContext } from 'node:tls';
import type { HttpConfig, TlsConfig } from './http-schema.js';
import type { HttpSettings, TlsSettings } from './integration.js';
import { type LoadContext, secretOf } from './load-context.js';
import { Secret, SECRET_TOKEN } from './secret.js';
import { holdsPlaceholder } from './template.js';
import type { Place } from './yaml-document.js';

type Config<T> = T | undefined;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers that mean something to the connection or are set elsewhere; Alertmanager refuses the same. */
const RESERVED_HEADERS = new Set([
  ...['authorization', 'host', 'content-encoding', 'content-length', 'content-type', 'user-agent', 'connection'],
  ...['keep-alive', 'proxy-authenticate', 'proxy-authorization', 'www-authenticate', 'accept-encoding'],
  ...['x-prometheus-remote-write-version', 'x-prometheus-remote-read-version', 'x-prometheus-scrape-timeout-seconds'],
  ...['x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256'],
]);

/** `http_config`. `enable_http2` only permits HTTP/2, which we do not speak, so both of its values are kept. */
export function httpSettings(context: LoadContext, config: Config<HttpConfig>): HttpSettings {
  const authorization = config && authorizationOf(context, config);
  const basicAuth = config && basicAuthOf(context, config);
  if (config && authorization && basicAuth) {
    context.fault('at most one of basic_auth and authorization (or bearer_token) must be configured', config.at());
  }
  return {
    ...(authorization && { authorization }),
    ...(basicAuth && { basicAuth }),
    headers: config ? headersOf(context, config) : [],
    tls: tlsSettings(context, config?.tls_config),
    followRedirects: config?.follow_redirects ?? true,
  };
}

/** `tls_config`: certificate and key only together, and such as OpenSSL can use. */
export function tlsSettings(context: LoadContext, config: Config<TlsConfig>): TlsSettings {
  if (!config) return { rejectUnauthorized: true };
  const ca = pem(context, 'ca', config.ca, config.ca_file, config.at('ca_file'));
  const cert = pem(context, 'cert', config.cert, config.cert_file, config.at('cert_file'));
  const key = pem(context, 'key', config.key?.reveal(), config.key_file, config.at('key_file'));
  if (Boolean(config.cert || config.cert_file) !== Boolean(config.key?.reveal() || config.key_file)) {
    context.fault('a client certificate needs both cert (or cert_file) and key (or key_file)', config.at());
  } else {
    try {
      createSecureContext({ ca, cert, key });
    } catch (error) {
      context.fault(`unusable certificate or key: ${(error as Error).message}`, config.at());
    }
  }
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key: new Secret(key) }),
    ...(config.server_name && { servername: config.server_name }),
    rejectUnauthorized: !config.insecure_skip_verify,
  };
}

function pem(
  context: LoadContext,
  name: string,
  inline: string | undefined,
  file: string | undefined,
  place: Place,
): string | undefined {
  if (inline && file) return context.fault(`at most one of ${name} and ${name}_file must be configured`, place);
  return inline || (file ? context.file(file, place) : undefined);
}

function authorizationOf(context: LoadContext, config: HttpConfig): HttpSettings['authorization'] {
  const { authorization, bearer_token: token, bearer_token_file: tokenFile } = config;
  if (token?.reveal() && tokenFile) {
    context.fault(
      'at most one of bearer_token and bearer_token_file must be configured',
      config.at('bearer_token_file'),
    );
  }
  const bearer = secretOf(context, token, tokenFile, config.at('bearer_token_file'));
  if (!authorization)
    return bearer && sendable(context, 'Bearer', bearer, config.at(token ? 'bearer_token' : 'bearer_token_file'));
  if (bearer) {
    const message = 'authorization is not compatible with bearer_token and bearer_token_file';
    context.fault(message, config.at('authorization'));
  }
  const type = authorization.type?.trim() || 'Bearer';
  if (type.toLowerCase() === 'basic') {
    context.fault('authorization type cannot be set to "basic", use "basic_auth" instead', authorization.at('type'));
  }
  const { credentials, credentials_file: file } = authorization;
  const place = authorization.at(file ? 'credentials_file' : 'credentials');
  if (credentials?.reveal() && file) {
    context.fault('at most one of credentials and credentials_file must be configured', place);
  }
  return sendable(context, type, secretOf(context, credentials, file, place) ?? new Secret(''), place);
}

/** A trailing line end of a YAML block would otherwise be found out only when an alert is sent. */
function sendable(
  context: LoadContext,
  type: string,
  credentials: Secret,
  place: Place,
): HttpSettings['authorization'] {
  if (!TOKEN.test(type) || !FIELD_VALUE.test(credentials.reveal())) {
    context.fault('type and credentials must fit into an HTTP header: one line, nothing beyond Latin-1', place);
  }
  return { type, credentials };
}

function basicAuthOf(context: LoadContext, { basic_auth: config }: HttpConfig): HttpSettings['basicAuth'] {
  if (!config) return undefined;
  if (config.username && config.username_file) {
    context.fault('at most one of username and username_file must be configured', config.at('username_file'));
  }
  if (config.password?.reveal() && config.password_file) {
    context.fault('at most one of password and password_file must be configured', config.at('password_file'));
  }
  const username = secretOf(context, undefined, config.username_file, config.at('username_file'))?.reveal();
  const password = secretOf(context, config.password, config.password_file, config.at('password_file'));
  return { username: username ?? config.username ?? '', password: password ?? new Secret('') };
}

function headersOf(context: LoadContext, config: HttpConfig): HttpSettings['headers'] {
  return [...(config.http_headers ?? [])].flatMap(([name, { value: header, place }]) => {
    if (!TOKEN.test(name)) context.fault(`"${name}" is not a valid header name`, place);
    if (RESERVED_HEADERS.has(name.toLowerCase())) context.fault(`setting header "${name}" is not allowed`, place);
    const values = [
      ...(header.values ?? []).map((value) => new Secret(value)),
      ...(header.secrets ?? []),
      ...(header.files ?? []).map((file) => secretOf(context, undefined, file, header.at('files'))),
    ].filter((value) => value !== undefined);
    if (!values.every((value) => FIELD_VALUE.test(value.reveal()))) {
      context.fault(`header "${name}" has a value that no HTTP header can have`, place);
    }
    return values.map((value) => ({ name, value }));
  });
}

/** Says what is wrong with a URL that notifications are posted to, without the URL itself: it may be a secret. */
export function checkUrl(context: LoadContext, url: string, place: Place): void {
  if (url === SECRET_TOKEN) context.fault('the URL itself is missing: <secret> only stands for one', place);
  else if (url.includes('{{')) context.fault("not supported yet: templates in Go's language", place);
  else if (holdsPlaceholder(url)) context.fault('not supported here: placeholders', place);
  else if (!/^https?:/i.test(url)) context.fault('invalid URL: the scheme must be http or https', place);
  else if (!/^https?:\/\/[^/?#]/i.test(url) || !URL.canParse(url))
    context.fault('invalid URL: missing or bad host', place);
}
