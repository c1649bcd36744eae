import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createLogger } from './logger.js';
import { NestLogger } from './nest-logger.js';
import { redact } from './redact.js';

const letters = [...'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'];
/** What somebody could type for a password, without what no unquoted form can hold. */
const secrets = fc.string({ unit: fc.constantFrom(...letters), minLength: 20, maxLength: 40 });
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Texts that carry a secret, as servers, clients, drivers and tools write them. */
const texts: readonly ((secret: string) => string)[] = [
  (s) => `password=${s}`,
  (s) => `{"password":"${s}"}`,
  (s) => `got {"a":1,"refresh_token" : "x\\"${s}","b":2} from the client`,
  (s) => `body: ${JSON.stringify(JSON.stringify({ user: 'me', clientSecret: `"${s}` }))}`,
  (s) => `body: ${JSON.stringify(JSON.stringify(JSON.stringify({ client_secret: s })))}`,
  (s) => `upstream said ${JSON.stringify({ cookies: [s, s], credentials: { user: { name: 'a' }, key: s } })}`,
  (s) => `{ credentials: Login { user: '${s}' } }`,
  (s) => `grant_type=refresh&client_secret=${s}&x=1`,
  (s) => `user%5Bpassword%5D=${s}&x=1`,
  (s) => `redirect=https%3A%2F%2Fx%2F%3Ftoken%3D${s}%26page%3D1`,
  (s) => `payload=%7B%22password%22%3A%22${s}%22%7D`,
  (s) => `payload=%257B%2522password%2522%253A%2522${s}%2522%257D`,
  (s) => `Authorization: Bearer ${s}`,
  (s) => `authorization: Basic ${base64(`me:${s}`)}`,
  (s) => `Authorization: Digest username="me", nonce="1", response="${s}"`,
  (s) => `Proxy-Authorization=token ${s}`,
  (s) => `retried with bearer\t${s}`,
  (s) => `Cookie: theme="dark"; sid="${s}"; last=${s}`,
  (s) => `set-cookie: sid=${s}; Path=/; HttpOnly`,
  (s) => `x-api-key: ${s}`,
  (s) => `X-Amz-Security-Token: ${s}`,
  (s) => `connect postgres://eyrie:${s}@db:5432/eyrie`,
  (s) => `connect postgres://eyrie:a/${s}#@db:5432/eyrie`,
  (s) => `redis://:${s}@redis`,
  (s) => `https_proxy is me:${s}@proxy.example:3128`,
  (s) => `next=https%3A%2F%2Fme%3A${s}%40example.org`,
  (s) => `POST https://hooks.slack.com/services/T0AB12CD3/B0AB12CD3/${s} failed`,
  (s) => `POST /services/T0AB12CD3/B0AB12CD3/${s} failed`,
  (s) => `POST https://discord.com/api/webhooks/123456/${s} failed`,
  (s) => `POST https://api.telegram.org/bot123456:${s}/sendMessage failed`,
  (s) => `POST https://acme.webhook.office.com/webhookb2/${s} failed`,
  (s) => `GET https://acme.blob.core.windows.net/a?sv=2024&sig=${s}&se=1`,
  (s) => `{"routing_key":"${s}","event_action":"trigger"}`,
  (s) => `service_key: ${s}`,
  (s) => `slack_api_url: https://chat.example/${s}`,
  (s) => `sent eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${s}`,
  (s) => `AWS_SECRET_ACCESS_KEY=${s}`,
  (s) => `used eyr_${s} as a name, and eyf_${s}`,
  (s) => `used xoxb-1234-${s} and ghp_${s} and sk_live_${s}`,
  (s) => `Command failed: pg_dump --password ${s} --host db`,
  (s) => `Command failed: restore --backup-passphrase "${s} ${s}"`,
  (s) => `<config><smtp:password>${s}</smtp:password></config>`,
  (s) => `ALTER USER eyrie PASSWORD '${s}'`,
  (s) => `Key (tenant, token_hash)=(1, ${s}) already exists.`,
  (s) => `auth: 'me:${s}'`,
  (s) => `{"auth":{"user":"me","pass":"${s}"}}`,
  (s) => `-----BEGIN PRIVATE KEY-----\n${s}\n-----END PRIVATE KEY-----`,
  (s) => `-----BEGIN EC PRIVATE KEY-----\n${s}`,
];

/** Values that carry a secret, as they are logged by those who do not think of it. */
const values: readonly ((secret: string) => unknown)[] = [
  ...texts,
  (s) => ({ password: s }),
  (s) => ({ headers: { Authorization: s, 'X-Api-Key': s, 'set-cookie': [s] } }),
  (s) => ({ rawHeaders: ['Host', 'x', 'X-Api-Key', s, 'Cookie', s, 'Proxy-Authorization', s] }),
  (s) => ({ headers: [['authorization', s]] }),
  (s) => ({ env: [{ name: 'DB_PASSWORD', value: s }], form: [{ key: 'token', value: s }] }),
  (s) => ({ argv: ['restore', '--api-key', s] }),
  (s) => ({ [`Bearer ${s}`]: 1, [`postgres://u:${s}@db/x`]: true }),
  (s) => ({ smtp: { auth: { user: 'me', pass: s } }, http: { auth: `me:${s}` } }),
  (s) => ({ routing_key: s, webhookUrl: `https://x/${s}`, jwt: s, pin: { passcode: s } }),
  (s) => new URL(`https://me:${s}@example.org/?access_token=${s}`),
  (s) => new Error(`connect postgres://eyrie:${s}@db failed`),
  (s) => new Error('outer', { cause: new Error('inner', { cause: { password: s, list: [{ token: s }] } }) }),
  (s) => new AggregateError([new Error(`token=${s}`), { credentials: [s] }], 'all'),
  (s) => ({ body: Buffer.from(`token=${s}`) }),
  (s) => postgresError(s),
  (s) => axiosError(s),
  (s) => ({ reason: axiosError(s), also: [{ deep: postgresError(s) }] }),
];

function postgresError(secret: string): Error {
  return Object.assign(new Error('duplicate key value violates unique constraint'), {
    code: '23505',
    query: 'INSERT INTO users VALUES ($1)',
    parameters: [secret],
    detail: `Key (name)=(${secret}) already exists.`,
    client: { connectionParameters: { password: secret, x: secret } },
  });
}

function axiosError(secret: string): Error {
  return Object.assign(new Error('Request failed with status code 401'), {
    config: {
      url: `https://x/${secret}`,
      auth: { password: secret },
      data: secret,
      headers: { authorization: secret },
    },
    request: { _header: `GET / HTTP/1.1\r\nCookie: ${secret}\r\n`, res: { req: [secret] } },
    response: { data: { token: secret } },
  });
}

const carriers = fc.constantFrom(...values);
/** The value among others, at some depth. */
const planted = fc.letrec<{ value: (secret: string) => unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    carriers,
    fc.tuple(tie('value'), fc.string()).map(([value, key]) => (s: string) => ({ a: 1, [`${key}x`]: value(s) })),
    fc.tuple(tie('value'), fc.jsonValue()).map(([value, other]) => (s: string) => [other, value(s), null]),
  ),
})).value;

/** What comes out when the arguments are logged, through Nest's logger, pino's own and a child of it. */
function logged(format: 'json' | 'text', args: unknown[]): string {
  let out = '';
  const output = { write: (line: string) => void (out += line), flushSync: () => undefined };
  const settings = { level: 'trace', service: 'api', version: '1', environment: 'test' } as const;
  const pino = createLogger({ ...settings, format, output });
  const nest = new NestLogger(pino);
  const [first, ...rest] = args;
  nest.error(first, ...rest, 'Here');
  nest.debug('around', ...args, 'Here');
  pino.warn({ given: args, error: first }, 'as a field');
  pino.child({ logger: 'Child' }).info({ ...Object.fromEntries(args.map((arg, index) => [`n${index}`, arg])) });
  if (first instanceof Error) pino.error(first);
  return out;
}

describe('what is logged', () => {
  it.each(values.map((carry, index) => [index, carry] as const))(
    'C5: shows no secret that is carried in way %i, in JSON or in text',
    (_index, carry) => {
      const secret = 'Hunter2ZqNineXkWv47Tr';
      for (const format of ['json', 'text'] as const) {
        expect(logged(format, [carry(secret)])).not.toContain(secret);
        expect(logged(format, ['a message', carry(secret)])).not.toContain(secret);
      }
    },
  );

  it('C5: shows no secret, wherever among the arguments and however deep it is planted', () => {
    fc.assert(
      fc.property(secrets, fc.array(planted, { minLength: 1, maxLength: 3 }), fc.string(), (secret, carry, word) => {
        const args = [word, ...carry.map((each) => each(secret))];
        for (const format of ['json', 'text'] as const) {
          const out = logged(format, args);
          expect(out).not.toContain(secret);
          expect(out).not.toContain(base64(`me:${secret}`));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("C5: texts one after the other hide one another's secrets no less", () => {
    fc.assert(
      fc.property(secrets, fc.constantFrom(...texts), fc.constantFrom(...texts), (secret, one, other) => {
        expect(redact(`${one(secret)}; ${other(secret)}`)).not.toContain(secret);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    'Unexpected token } in JSON at position 4',
    `Unexpected token '}', "{"a":}" is not valid JSON`,
    'told ops@example.org, user:ops@example.org and mailto:ops@example.org',
    'GET http://db:5432/users/ops@example.org?page=2 answered 200',
    'GET http://[::1]:3000/users/ops@example.org answered 200',
    'basic health checks passed: 12 of 12',
    'listening on http://127.0.0.1:3000 after 12 ms',
    'cursor eyJpZCI6MTIzNDU2Nzg5MH0 is too old',
    'the task-runner took sk-1 from the queue',
    'compass: north, authentic: yes, assigned: 3',
    'at read (/app/src/secret-patterns.ts:12:5) and file:///app/token.js:7:1',
  ])('C5: leaves alone what is innocent: %j', (text) => expect(redact(text)).toBe(text));

  it('C5: counts of tokens, and what is empty or a flag, stay readable', () => {
    const given = { max_tokens: 4096, tokens: 5, tokensLeft: 7, tokenRequired: true, password: null };
    expect(redact(given)).toEqual(given);
  });
});
