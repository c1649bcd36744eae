import * as later from './unsupported.js';
import { boolean, list, placed, record, secret, struct, text } from './yaml-reader.js';

/** `tls_config`, field by field. */
export const tlsConfig = struct(
  {
    ca: text,
    ca_file: text,
    cert: text,
    cert_file: text,
    key: secret,
    key_file: text,
    server_name: text,
    insecure_skip_verify: boolean,
  },
  later.TLS,
);
export type TlsConfig = NonNullable<ReturnType<typeof tlsConfig>>;

const header = struct({ values: list(text), secrets: list(secret), files: list(text) });

/** `http_config`, field by field. */
export const httpConfig = struct(
  {
    authorization: struct({ type: text, credentials: secret, credentials_file: text }, later.AUTHORIZATION),
    basic_auth: struct(
      { username: text, username_file: text, password: secret, password_file: text },
      later.BASIC_AUTH,
    ),
    bearer_token: secret,
    bearer_token_file: text,
    http_headers: record(placed(header)),
    tls_config: tlsConfig,
    follow_redirects: boolean,
    enable_http2: boolean,
  },
  later.HTTP,
);
export type HttpConfig = NonNullable<ReturnType<typeof httpConfig>>;
