/** Requests of clients, through Nginx as from outside. */
import { request } from 'node:https';
import type { Stack } from './stack.ts';

interface Question {
  key?: string;
  body?: unknown;
}

/** The status of the answer; 0 where there was none. */
export function ask(
  { https }: Pick<Stack, 'https'>,
  method: string,
  path: string,
  { key, body }: Question = {},
): Promise<number> {
  return new Promise((resolve) => {
    const headers = {
      host: 'localhost',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const options = {
      host: '127.0.0.1',
      port: https.port,
      ca: https.ca,
      servername: 'localhost',
      method,
      path,
      headers,
      timeout: 40_000,
    };
    const sent = request(options, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', () => resolve(0)).once('timeout', () => sent.destroy());
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** A little of everything that is counted somewhere. */
export async function someTraffic(stack: Stack, round: number): Promise<void> {
  const { ingestKey, operatorKey } = stack;
  const raise = (name: string, more: object = {}) =>
    ask(stack, 'POST', '/api/v1/alerts', {
      key: ingestKey,
      body: { name, severity: 'low', message: 'traffic', ...more },
    });
  await Promise.all([raise(`Traffic${round % 5}`), raise('Steady'), raise(`Ended${round}`)]);
  await raise(`Ended${round}`, { endsAt: new Date(Date.now() - 1000).toISOString() });
  await ask(stack, 'GET', '/api/v1/alerts?limit=10', { key: operatorKey });
  await ask(stack, 'GET', '/api/v1/alerts');
  await ask(stack, 'POST', '/api/auth/login', { body: { email: 'nobody@example.org', password: 'not the password' } });
  await ask(stack, 'GET', `/nothing/here/${round}`);
}
