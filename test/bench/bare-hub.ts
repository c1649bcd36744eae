/**
 * The least that Nest on Fastify and node-postgres take to commit alerts: one small row each, found by a hash of its
 * labels, and nothing around it, neither keys nor limits nor logs, nor anybody who is told. Concurrent requests share a
 * transaction, as in the hub. `bare-hub.ts PORT DATABASE_URL`
 */
import 'reflect-metadata';
import { hash } from 'node:crypto';
import { Body, Controller, Get, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Client } from 'pg';

interface SentAlert {
  labels: Record<string, string>;
  endsAt: string;
}

const [port, connectionString] = process.argv.slice(2);
const client = new Client({ connectionString, options: '-c enable_seqscan=off -c enable_bitmapscan=off -c jit=off' });
await client.connect();
await client.query(`CREATE TABLE bare_alerts (id uuid PRIMARY KEY, alert json NOT NULL, ends_at timestamptz NOT NULL,
  occurrences bigint NOT NULL DEFAULT 1) WITH (fillfactor = 75)`);

const REPEAT = {
  name: 'repeat',
  text: `UPDATE bare_alerts SET occurrences = occurrences + 1, ends_at = ($2::timestamptz[])[array_position($1::uuid[], id)]
         WHERE id = ANY((SELECT $1::uuid[])::uuid[])`,
};
const RAISE = {
  name: 'raise',
  text: `INSERT INTO bare_alerts (id, alert, ends_at) SELECT * FROM unnest($1::uuid[], $2::json[], $3::timestamptz[])
         ON CONFLICT (id) DO NOTHING`,
};

let waiting: { alerts: SentAlert[]; done: () => void }[] = [];
let isBusy = false;

async function commitAll(): Promise<void> {
  isBusy = true;
  await new Promise(setImmediate);
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    const byId = new Map(batch.flatMap(({ alerts }) => alerts).map((alert) => [idOf(alert), alert]));
    const [ids, alerts] = [[...byId.keys()], [...byId.values()]];
    const ends = alerts.map(({ endsAt }) => endsAt);
    const { rowCount } = await client.query({ ...REPEAT, values: [ids, ends] });
    if (rowCount !== ids.length) {
      await client.query({ ...RAISE, values: [ids, alerts.map((alert) => JSON.stringify(alert)), ends] });
    }
    setImmediate(() => batch.forEach(({ done }) => done()));
  }
  isBusy = false;
}

function idOf({ labels }: SentAlert): string {
  return hash('md5', JSON.stringify(labels), 'hex');
}

class BareHub {
  ready(): string {
    return 'ok';
  }

  receive(alerts: SentAlert[]): Promise<void> {
    return new Promise((done) => {
      waiting.push({ alerts, done });
      if (!isBusy) void commitAll();
    });
  }
}

// Decorators by hand: Node runs this file as it is, and strips types only.
const { prototype } = BareHub;
const receive = Object.getOwnPropertyDescriptor(prototype, 'receive')!;
Get('health/ready')(prototype, 'ready', Object.getOwnPropertyDescriptor(prototype, 'ready')!);
Post('api/v2/alerts')(prototype, 'receive', receive);
HttpCode(200)(prototype, 'receive', receive);
Body()(prototype, 'receive', 0);
Controller()(BareHub);

class Root {}
Module({ controllers: [BareHub] })(Root);

const app = await NestFactory.create(Root, new FastifyAdapter(), { logger: false });
await app.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
