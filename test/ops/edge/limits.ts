import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './client.ts';
import type { Promises } from './promises.ts';
import type { Site } from './site.ts';

/** Limits as every installation has them; each begins with an empty bucket. */
export async function limits(site: Site, promises: Promises): Promise<void> {
  const port = site.ports.https;
  const refill = () => sleep(6_500);

  await promises.keep(
    'I3: 21 requests at once pass, then 10 a second; the rest is a 429 with Retry-After',
    async () => {
      await refill();
      const { passed, refused, tookS } = await burst(60, () => ask({ port, path: '/api/v1/silences' }));
      const most = 21 + Math.ceil(tookS * 10);
      assert.ok(
        passed >= 21 && passed <= most,
        `${passed} of 60 passed in ${tookS.toFixed(2)} s, wanted 21 to ${most}`,
      );
      const [answer] = refused;
      assert.deepEqual(
        [answer!.headers['retry-after'], answer!.headers['content-type']],
        ['1', 'application/problem+json'],
      );
      const { type, status } = JSON.parse(answer!.body) as { type: string; status: number };
      assert.deepEqual({ type, status }, { type: 'urn:eyrie:problem:too-many-requests', status: 429 });
      const alertmanager = await burst(30, () => ask({ port, path: '/api/v2/silences' }));
      assert.equal(
        JSON.parse(alertmanager.refused[0]!.body),
        'Too many requests: Retry-After says when the next is served.',
      );
    },
  );

  await promises.keep('I3: alerts and beats pass while everything else is refused', async () => {
    const paths = [
      '/api/v1/alerts',
      '/api/v2/alerts',
      '/api/v1/integrations/alertmanager',
      '/api/v1/heartbeats/backup',
    ];
    await burst(40, () => ask({ port, path: '/' }));
    for (const path of paths) {
      const { refused } = await burst(60, () => ask({ port, method: 'POST', path, body: '[]' }));
      assert.equal(refused.length, 0, path);
    }
  });

  await promises.keep('I3: 6 logins at once pass, then 1 a second', async () => {
    await refill();
    const { passed, tookS } = await burst(20, () => ask({ port, method: 'POST', path: '/api/auth/login', body: '{}' }));
    const most = 6 + Math.ceil(tookS);
    assert.ok(passed >= 6 && passed <= most, `${passed} of 20 passed in ${tookS.toFixed(2)} s, wanted 6 to ${most}`);
    assert.equal((await ask({ port, path: '/' })).status, 200, 'another request of the same client');
  });
}

async function burst(count: number, one: () => ReturnType<typeof ask>) {
  const began = performance.now();
  const all = await Promise.all(Array.from({ length: count }, one));
  const refused = all.filter(({ status }) => status === 429);
  const strange = all.filter(({ status }) => status !== 429 && status !== 200);
  assert.deepEqual(
    strange.map(({ status }) => status),
    [],
  );
  return { passed: all.length - refused.length, refused, tookS: (performance.now() - began) / 1000 };
}
