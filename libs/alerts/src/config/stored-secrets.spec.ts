import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { Regrouper } from '../dispatch/regrouper.js';
import { ReceiversReader } from '../receivers/index.js';
import { TestReceiverHandler } from '../receivers/test-receiver.handler.js';

Logger.overrideLogger(false);

const planted = [
  'planted-path',
  'planted-query',
  'planted-bearer',
  'planted-header',
  'planted-basic',
  'planted-routing',
];

/** Refuses each request and repeats of it what is planted, as a page of errors may do. */
const seen = new Set<string>();
const receiver = createServer((request, response) => {
  void text(request).then((body) => {
    const authorization = Buffer.from(request.headers.authorization?.split(' ')[1] ?? '', 'base64').toString();
    const sent = `${request.url} ${JSON.stringify(request.headers)} ${authorization} ${body}`;
    const repeated = planted.filter((secret) => sent.includes(secret));
    for (const secret of repeated) seen.add(secret);
    response.writeHead(400).end(repeated.join(' '));
  });
});

let hub: TestHub;
beforeAll(async () => {
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const hook = `${url}/planted-path?token=planted-query`;
  const http = `http_headers: { X-Key: { secrets: [planted-header] } }`;
  hub = await testHub({
    config: `
route: { receiver: all, group_by: ['...'], group_wait: 0s }
receivers:
  - name: all
    webhook_configs: [{ url: '${hook}', http_config: { authorization: { credentials: planted-bearer }, ${http} } }]
    slack_configs: [{ api_url: '${hook}', channel: x, http_config: { basic_auth: { username: u, password: planted-basic } } }]
    pagerduty_configs: [{ url: '${url}/planted-path', routing_key: planted-routing, http_config: { ${http} } }]`,
  });
});
afterAll(async () => {
  await hub.close();
  receiver.closeAllConnections();
  receiver.close();
});

/** Every row of every table as text. */
async function everything(): Promise<string> {
  const tables = await hub.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) => hub.query<{ row: string }>(`SELECT row_to_json(each)::text AS row FROM ${name} AS each`)),
  );
  return rows
    .flat()
    .map(({ row }) => row)
    .join('\n');
}

describe('I4: PostgreSQL never holds a secret of a receiver', () => {
  it('whatever an answer repeats: not in notifications, attempts, tests, health, jobs or the record of the configuration', async () => {
    await hub.app.get(Regrouper).onApplicationBootstrap();
    await hub.fire({ alertname: 'Down' });
    await hub.flush();
    await hub.deliver();
    const integrations = (await hub.get(ReceiversReader).list()).flatMap((one) => one.integrations);
    for (const { integration } of integrations) {
      const id = '00000000-0000-4000-8000-000000000001';
      await hub.query(`INSERT INTO receiver_tests (id, integration, expires_at) VALUES ($1, $2, to_timestamp($3))`, [
        id,
        integration,
        hub.clock.now() / 1000 + 60,
      ]);
      const { signal } = new AbortController();
      await hub.get(TestReceiverHandler).handle({ id, integration }, { id: '1', attempt: 1, signal });
    }

    expect([...seen].sort()).toEqual([...planted].sort());
    const stored = await everything();
    expect(stored).toContain('[redacted]');
    for (const secret of planted) expect(stored).not.toContain(secret);
    const { hash } = hub.get(AlertsConfigStore).config;
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    // Made with the secrets, it would let weak ones be guessed.
    expect(stored).not.toContain(hash);
  });
});
