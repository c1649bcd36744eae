/** Replicas that come, go and die, as clients see it. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { dockerOrThrow } from '../../harness/docker.ts';
import { eventually } from '../../harness/eventually.ts';
import { type Answer, ask, openWebSocket } from './client.ts';
import { Load } from './load.ts';
import type { Promises } from './promises.ts';
import type { Site } from './site.ts';

const read = { method: 'GET', path: '/api/v1/silences' };
const ingest = { method: 'POST', path: '/api/v1/alerts' };
const change = { method: 'POST', path: '/api/v1/silences' };

/** Begins and ends with two replicas of blue. */
export async function replicas(site: Site, promises: Promises, { kills }: { kills: number }): Promise<void> {
  const port = site.ports.https;
  const scale = (count: number, slot: 'blue' | 'green' = 'blue') => site.scale(slot, count);

  await promises.keep('L1: a new replica is found by DNS within seconds, and gets its share', async () => {
    const load = new Load({ port, requests: [read] });
    try {
      await scale(3);
      const began = performance.now();
      await eventually(() => load.byReplica.size === 3, 30_000);
      process.stdout.write(`   found ${Math.round(performance.now() - began)} ms after it was healthy\n`);
      load.forgetSlots();
      await sleep(2_000);
      const shares = [...load.byReplica.values()].map(
        (count) => count / [...load.byReplica.values()].reduce((a, b) => a + b),
      );
      assert.ok(shares.length === 3 && shares.every((share) => share > 0.15), `shares ${shares.join(', ')}`);
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.failures, []);
  });

  await promises.keep(
    'L1: a replica that is removed costs no request, not even one that may not be repeated',
    async () => {
      const load = new Load({ port, requests: [read, ingest, change], perSecond: 150 });
      try {
        await load.more(50);
        await scale(2);
        await load.more(50);
      } finally {
        await load.stop();
      }
      assert.deepEqual(load.failures, []);
    },
  );

  await promises.keep(
    'L1: of a replica that is killed, reads and alerts in flight are answered by another; other POSTs are not repeated',
    async () => {
      const inFlight = ({ method, path }: typeof read) =>
        Array.from({ length: 8 }, () =>
          ask({ port, method, path: `${path}?delay=5000`, body: method === 'POST' ? '{}' : undefined }),
        );
      const [victim] = await site.stack.ps('api-blue');
      const asked = { read: inFlight(read), ingest: inFlight(ingest), change: inFlight(change) };
      await sleep(1_500);
      await dockerOrThrow(['kill', victim!.ID]);
      const statuses = async (answers: Promise<Answer>[]) => (await Promise.all(answers)).map(({ status }) => status);
      assert.deepEqual(await statuses(asked.read), Array(8).fill(200), 'reads');
      assert.deepEqual(await statuses(asked.ingest), Array(8).fill(200), 'alerts');
      const changes = await statuses(asked.change);
      const lost = changes.filter((status) => status === 502).length;
      const expected = lost > 0 && lost < 8 && changes.every((status) => status === 200 || status === 502);
      assert.ok(expected, `other POSTs: ${changes.join(', ')}`);
    },
  );

  await promises.keep('L1: replicas that die under load cost no request that may be repeated', async () => {
    let inFlight = 0;
    for (let kill = 0; kill < kills; kill++) {
      await scale(2);
      const [victim] = await site.stack.ps('api-blue');
      const load = new Load({ port, requests: [read, ingest, change], perSecond: 150 });
      try {
        await sleep(1_000 + 150 * kill);
        await dockerOrThrow(['kill', victim!.ID]);
        await sleep(3_000);
        const took = [];
        for (let count = 0; count < 20; count++) {
          const began = performance.now();
          await ask({ port });
          took.push(performance.now() - began);
        }
        const slow = took.filter((ms) => ms > 900).length;
        assert.ok(slow < 2, `${slow} of 20 requests waited for the dead replica`);
      } finally {
        await load.stop();
      }
      const repeatable = load.failures.filter((failure) => !failure.startsWith(`POST ${change.path}:`));
      assert.deepEqual(repeatable, []);
      inFlight += load.failures.length;
    }
    // Other POSTs that were on their way at that moment
    assert.ok(inFlight <= 5 * kills, `${inFlight} failed`);
  });

  await promises.keep(
    'L1: with no replica left it is a 502 problem with Retry-After; the first that comes back is found',
    async () => {
      await site.stack.runOrThrow(['stop', '--timeout', '0', 'api-blue']);
      const answer = await eventually(async () => {
        const candidate = await ask({ port, path: '/api/v1/silences' });
        return candidate.status === 502 && candidate;
      }, 30_000);
      assert.deepEqual(
        [answer.headers['content-type'], answer.headers['retry-after'], answer.headers['x-frame-options']],
        ['application/problem+json', '2', 'DENY'],
      );
      assert.deepEqual(JSON.parse(answer.body), {
        type: 'urn:eyrie:problem:bad-gateway',
        title: 'Bad Gateway',
        status: 502,
        detail: 'No replica of the api answered. Try again shortly.',
        instance: `urn:eyrie:request:${String(answer.headers['x-request-id'])}`,
      });
      assert.equal(
        JSON.parse((await ask({ port, path: '/api/v2/status' })).body),
        'Bad Gateway: No replica of the api answered. Try again shortly.',
      );
      await assert.rejects(openWebSocket(port), /answered with 502/);
      await scale(2);
      await eventually(async () => (await ask({ port })).status === 200, 30_000);
    },
  );

  await promises.keep("L1: when a slot has no replica left, the other slot's serve", async () => {
    await scale(1, 'green');
    await site.stack.runOrThrow(['stop', '--timeout', '0', 'api-blue']);
    await eventually(async () => (await ask({ port })).body.includes('"slot":"green"'), 30_000);
    await scale(2);
    await eventually(async () => (await ask({ port })).body.includes('"slot":"blue"'), 30_000);
    await sleep(1_500);
    for (let count = 0; count < 20; count++) assert.match((await ask({ port })).body, /"slot":"blue"/);
  });
}
