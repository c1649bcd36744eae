/** Changes while clients are served: traffic, configuration, certificate. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, cp, readFile, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { dockerOrThrow } from '../../harness/docker.ts';
import { eventually } from '../../harness/eventually.ts';
import { type Answer, ask, exchange, openWebSocket, servedCertificate } from './client.ts';
import { Load, type LoadOptions } from './load.ts';
import type { Promises } from './promises.ts';
import type { Site } from './site.ts';

const requests: LoadOptions['requests'] = [
  { method: 'GET', path: '/api/v1/silences' },
  { method: 'POST', path: '/api/v1/silences' },
  { method: 'POST', path: '/api/v1/alerts' },
];

/** Wants replicas in both slots; begins and ends with all traffic on blue. */
export async function changes(site: Site, promises: Promises): Promise<void> {
  const port = site.ports.https;

  /** What happens meanwhile to those who keep their connections, and to those who open new ones. */
  const underLoad = async (work: (loads: Load[]) => Promise<void>) => {
    const loads = [new Load({ port, requests }), new Load({ port, requests, perSecond: 30, freshConnections: true })];
    const requestsOfEach = () => Promise.all(loads.map((load) => load.more(20)));
    try {
      await requestsOfEach();
      await work(loads);
      await requestsOfEach();
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
    }
    assert.deepEqual(
      loads.flatMap(({ failures }) => failures),
      [],
    );
  };

  const traffic = async (...shares: string[]) => {
    const { status, stdout, stderr } = await site.nginx('traffic', ...shares);
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };

  await promises.keep(
    'L1: traffic moves to the other slot at once, to a share, and back, without a failed request',
    async () => {
      const webSocket = await openWebSocket(port);
      await underLoad(async (loads) => {
        for (const [blue, green] of [
          [0, 100],
          [90, 10],
          [100, 0],
        ] as const) {
          assert.equal(await traffic(`blue=${blue}`, `green=${green}`), `blue=${blue} green=${green}`);
          assert.equal(await traffic(), `blue=${blue} green=${green}`);
          for (const load of loads) load.forgetSlots();
          await sleep(blue === 90 ? 6_000 : 1_500);
          const [a, b] = ['blue', 'green'].map((slot) =>
            loads.reduce((sum, { bySlot }) => sum + (bySlot.get(slot) ?? 0), 0),
          ) as [number, number];
          const share = (b / (a + b)) * 100;
          const tolerance = green === 10 ? 5 : 0;
          assert.ok(
            Math.abs(share - green) <= tolerance,
            `green got ${share.toFixed(1)} % of ${a + b}, wanted ${green} %`,
          );
        }
      });
      assert.equal(await exchange(webSocket, 'still here'), 'still here', 'a WebSocket outlives the switch');
      webSocket.destroy();
    },
  );

  await promises.keep('L1: traffic that cannot be is refused', async () => {
    for (const shares of [
      ['blue=50', 'green=60'],
      ['blue=100'],
      ['red=100', 'blue=0'],
      ['blue=1e2', 'green=0'],
      ['blue=50', 'blue=50'],
    ]) {
      const { status, stderr } = await site.nginx('traffic', ...shares);
      assert.deepEqual([status, stderr.trim().split('\n').length], [2, 1], `${shares.join(' ')}: ${stderr}`);
    }
    // As on a full disk
    const modeOfFolder = (mode: string) =>
      site.stack.runOrThrow(['exec', '--user', 'root', 'nginx', 'chmod', mode, '/etc/nginx/traffic']);
    await modeOfFolder('0555');
    const { status, stderr } = await site.nginx('traffic', 'blue=0', 'green=100');
    await modeOfFolder('1777');
    assert.equal(status, 1);
    assert.match(stderr, /still blue=100 green=0/);
    assert.equal(await traffic(), 'blue=100 green=0');
    assert.match((await ask({ port })).body, /"slot":"blue"/);
  });

  await promises.keep(
    'L1: a changed template takes effect without a failed request; a faulty one changes nothing',
    async () => {
      const template = join(site.directory, 'nginx/templates/public.conf.template');
      const good = await readFile(template, 'utf8');
      // On a new connection each time: those that there were may bring one more request to the old configuration.
      const statusOfNew = async () => (await ask({ port, path: '/new', agent: new Agent() })).status;
      await underLoad(async () => {
        await appendFile(template, 'nonsense;\n');
        const refused = await site.nginx('reload');
        assert.equal(refused.status, 1);
        assert.match(refused.stderr, /unknown directive "nonsense".*\n.*the old configuration is served on/s);
        await writeFile(
          template,
          good.replace('location = /ws {', 'location = /new {\n        return 204;\n    }\n    location = /ws {'),
        );
        const taken = await site.nginx('reload');
        assert.equal(taken.status, 0, taken.stderr);
        assert.equal(await statusOfNew(), 204);
      });
      await writeFile(template, good);
      assert.equal((await site.nginx('reload')).status, 0);
      assert.equal((await site.nginx('nginx', '-t')).status, 0);
      assert.equal(await statusOfNew(), 200);
    },
  );

  await promises.keep(
    'L1: a reload closes no idle connection: each brings one more request, even to replicas that came since',
    async () => {
      const agents = Array.from({ length: 6 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
      const answers = () =>
        Promise.all(agents.map((agent) => ask({ port, agent, method: 'POST', path: '/api/v1/silences', body: '{}' })));
      const told = (answer: Answer) => [answer.status, answer.headers.connection];
      assert.deepEqual((await answers()).map(told), Array(6).fill([200, 'keep-alive']));
      const before = await site.stack.ps('api-blue');
      assert.equal((await site.nginx('reload')).status, 0);
      await site.scale('blue', 2 * before.length);
      await dockerOrThrow(['rm', '--force', ...before.map(({ ID }) => ID)]);
      assert.deepEqual((await answers()).map(told), Array(6).fill([200, 'close']));
      for (const agent of agents) agent.destroy();
    },
  );

  await promises.keep(
    'L2: a renewed certificate is served within seconds without a failed request; a wrong pair is not',
    async () => {
      const [certificate, key] = [join(site.directory, 'new.crt'), join(site.directory, 'new.key')];
      const fingerprint = await makeCertificate(certificate, key);
      const before = await servedCertificate(port);
      await underLoad(async () => {
        await site.initSecrets('--certificate', certificate, '--key', key);
        await eventually(async () => (await servedCertificate(port)) === fingerprint, 60_000);
      });
      assert.notEqual(before, fingerprint);
      await makeCertificate(certificate, join(site.directory, 'other.key'));
      await assert.rejects(site.initSecrets('--certificate', certificate, '--key', key), /is not the key of/);
      // Past the script, by hand
      await cp(certificate, join(site.directory, 'certs/tls.crt'));
      await eventually(
        async () => /new certificate cannot be served.*key values mismatch/.test(await site.stack.logs('nginx')),
        60_000,
      );
      assert.equal(await servedCertificate(port), fingerprint);
      await site.initSecrets('--certificate', certificate, '--key', join(site.directory, 'other.key'));
      await eventually(async () => (await servedCertificate(port)) !== fingerprint, 60_000);
    },
  );

  await promises.keep('L1: the shares outlive the container; where they are lost, all is blue again', async () => {
    await traffic('blue=0', 'green=100');
    await site.stack.runOrThrow(['up', '--detach', '--wait', '--no-build', '--no-deps', '--force-recreate', 'nginx']);
    await eventually(async () => (await ask({ port })).body.includes('"slot":"green"'), 30_000);
    assert.equal(await traffic(), 'blue=0 green=100');
    await site.nginx('bash', '-c', 'rm -r /etc/nginx/traffic/*');
    assert.match((await ask({ port })).body, /"slot":"blue"/);
    assert.equal(await traffic(), 'blue=100 green=0');
  });
}

/** Whoever stands before Nginx and is trusted. */
export async function trusted(site: Site, promises: Promises): Promise<void> {
  await promises.keep(
    'C2: a trusted proxy names request and client; what is not well formed is named anew',
    async () => {
      await site.set({ TRUSTED_PROXIES: '10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16' });
      await site.stack.up(['nginx']);
      const told = async (headers: Record<string, string>) => {
        const answer = await ask({ port: site.ports.https, headers });
        return (JSON.parse(answer.body) as { headers: Record<string, string> }).headers;
      };
      await eventually(async () => (await ask({ port: site.ports.https })).status === 200);
      const believed = await told({ 'X-Request-ID': 'chosen-by-proxy', 'X-Forwarded-For': '198.51.100.7, 192.0.2.1' });
      assert.deepEqual([believed['x-request-id'], believed['x-forwarded-for']], ['chosen-by-proxy', '192.0.2.1']);
      assert.match((await told({ 'X-Request-ID': 'with blanks "and quotes"' }))['x-request-id']!, /^[0-9a-f]{32}$/);
    },
  );
}

async function makeCertificate(certificate: string, key: string): Promise<string> {
  const run = promisify(execFile);
  const subject = ['-subj', '/CN=renewed', '-addext', 'subjectAltName=DNS:localhost'];
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '9',
    ...subject,
    '-keyout',
    key,
    '-out',
    certificate,
  ]);
  const { stdout } = await run('openssl', ['x509', '-in', certificate, '-noout', '-fingerprint', '-sha256']);
  return stdout.trim().replace(/^.*=/, '');
}
