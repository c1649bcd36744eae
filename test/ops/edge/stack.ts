/** The whole compose file on a fresh folder. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { docker, dockerOrThrow } from '../../harness/docker.ts';
import { eventually } from '../../harness/eventually.ts';
import { ask } from './client.ts';
import { inspectAll, limitsOf } from './containers.ts';
import type { Promises } from './promises.ts';
import type { Site } from './site.ts';

export async function stack(site: Site, promises: Promises): Promise<void> {
  const port = site.ports.https;
  const file = (path: string) => readFile(join(site.directory, path), 'utf8');
  const secrets = await readdir(join(site.directory, 'secrets'));
  const values = (await Promise.all(secrets.map((name) => file(`secrets/${name}`)))).filter((value) => value !== '');

  await promises.keep('K3: init-secrets makes what is missing, once, and for nobody else to read', async () => {
    const before = await digests(site.directory);
    await site.initSecrets();
    assert.deepEqual(await digests(site.directory), before);
    assert.equal(new Set(values).size, values.length, 'no two secrets are the same');
    const example = await readFile(new URL('../../../deploy/prod/.env.example', import.meta.url), 'utf8');
    const keys = (text: string) => text.match(/^[A-Z_]+(?==)/gm);
    assert.deepEqual(keys(await file('.env')), keys(example));
  });

  await promises.keep('K3: docker compose config is clean, and .env.example explains every setting', async () => {
    const { status, stderr } = await site.stack.run(['config', '--quiet']);
    assert.deepEqual([status, stderr], [0, '']);
    const compose = await readFile(new URL('../../../deploy/prod/compose.yaml', import.meta.url), 'utf8');
    const wanted = new Set([...compose.matchAll(/\$\{([A-Z_0-9]+)/g)].map(([, name]) => name!));
    const example = new Set((await file('.env')).match(/^[A-Z_0-9]+(?==)/gm));
    assert.deepEqual(
      [...wanted].filter((name) => !example.has(name)),
      [],
      'not in .env.example',
    );
    assert.deepEqual(
      [...example].filter((name) => !wanted.has(name)),
      [],
      'of no use',
    );
  });

  await promises.keep('K3: up --wait on a fresh folder ends healthy', async () => {
    const began = performance.now();
    await site.stack.up([], { waitMs: 400_000 }).catch(async (error: Error) => {
      throw new Error(`${await lastWords(site)}\n${error.message}`);
    });
    process.stdout.write(`   all healthy after ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
    const containers = await site.stack.ps();
    const ill = containers.filter(({ Service, Health, ExitCode }) =>
      Service === 'migrate' ? ExitCode !== 0 : Service !== 'receiver' && Health !== 'healthy',
    );
    assert.deepEqual(
      ill.map(({ Name, State, Health }) => `${Name} ${State} ${Health}`),
      [],
    );
  });

  await promises.keep('K3: once more changes nothing', async () => {
    const ids = async () => (await site.stack.ps()).map(({ ID }) => ID).sort();
    const before = await ids();
    await site.stack.up([], { waitMs: 400_000 });
    assert.deepEqual(await ids(), before);
  });

  await promises.keep(
    'K3: nothing is published but Nginx; networks are internal but those that lead outside',
    async () => {
      for (const { service, published } of await inspectAll(site.stack)) {
        assert.deepEqual(published, service === 'nginx' ? ['8080/tcp', '8443/tcp'] : [], service);
      }
      const name = await site.stack.runOrThrow(['config', '--format', 'json']);
      const networks = (JSON.parse(name) as { networks: Record<string, { name: string }> }).networks;
      for (const [network, { name: full }] of Object.entries(networks)) {
        const internal = await dockerOrThrow(['network', 'inspect', '--format', '{{.Internal}}', full]);
        assert.equal(internal, String(!['edge', 'egress'].includes(network)), network);
      }
    },
  );

  await promises.keep(
    'K3: containers run as nobody special, cannot write to their roots, and are limited',
    async () => {
      for (const container of await inspectAll(site.stack)) {
        if (container.service === 'receiver') continue;
        assert.deepEqual(limitsOf(container), [], container.service);
      }
    },
  );

  await promises.keep('K3: no secret stands in an environment, an argument, a log', async () => {
    for (const { ID, Service } of await site.stack.ps()) {
      const inspected = await dockerOrThrow(['inspect', ID]);
      const processes = (await docker(['top', ID, '-eo', 'args'])).stdout;
      const logs = await docker(['logs', ID]);
      const seen = `${inspected}${processes}${logs.stdout}${logs.stderr}`;
      assert.deepEqual(values.filter((value) => seen.includes(value)).length, 0, Service);
    }
  });

  await promises.keep('K3: Redis wants its password, and keeps what it knows over a restart', async () => {
    const redis = (...command: string[]) => site.stack.exec('redis', ['redis-cli', ...command]);
    assert.match((await redis('ping')).stdout, /NOAUTH/);
    const authenticated = async (command: string) => {
      const script = `REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli ${command}`;
      return (await site.stack.exec('redis', ['sh', '-c', script])).stdout.trim();
    };
    assert.match(await authenticated('config get appendonly'), /yes/);
    assert.equal(await authenticated('set edge:kept 1'), 'OK');
    await authenticated('waitaof 1 0 5000');
    await site.stack.runOrThrow(['kill', 'redis']);
    await site.stack.up(['redis']);
    assert.equal(await authenticated('get edge:kept'), '1');
  });

  await promises.keep('K3: PostgreSQL has checksums, scram, and connections for twice the replicas', async () => {
    const script = `SELECT string_agg(setting, ' ' ORDER BY name) FROM pg_settings
      WHERE name IN ('data_checksums', 'max_connections', 'password_encryption', 'shared_buffers')`;
    const { stdout } = await site.stack.exec('postgres', [
      'psql-admin',
      '--tuples-only',
      '--no-align',
      '--command',
      script,
    ]);
    assert.equal(stdout.trim(), 'on 200 scram-sha-256 32768');
  });

  await promises.keep(
    'K3: an alert raised over HTTPS is delivered to a webhook; SIGHUP reads routes from a replaced file',
    async () => {
      const key = await file('secrets/ingest_key');
      const operator = { Authorization: `Bearer ${await file('secrets/operator_key')}` };
      const config = join(site.directory, 'config/alertmanager.yml');
      const routes = 'route: { receiver: team, group_by: [...], group_wait: 0s, group_interval: 1s }\n';
      const receiver = "receivers: [{ name: team, webhook_configs: [{ url: 'http://receiver:8080/' }] }]\n";
      await writeFile(`${config}.new`, `${routes}${receiver}`);
      await rename(`${config}.new`, config);
      await site.stack.runOrThrow(['kill', '--signal', 'HUP', 'api-blue', 'worker']);
      // No faster than a client may
      await eventually(async () => {
        await sleep(500);
        const status = await ask({ port, path: '/api/v2/status', headers: operator });
        return status.body.includes('name: team');
      }, 20_000);
      const answer = await ask({
        port,
        method: 'POST',
        path: '/api/v1/alerts',
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ name: 'EdgeTest', severity: 'critical', message: 'through all of it' }),
      });
      assert.ok(answer.status >= 200 && answer.status < 300, `${answer.status} ${answer.body}`);
      const notified = eventually(
        async () => (await site.stack.logs('receiver')).includes('through all of it'),
        30_000,
      );
      await notified;
    },
  );

  await promises.keep('C3: the api logs client and request id as Nginx does', async () => {
    const answer = await ask({ port, path: '/api/v1/alerts/edge-log' });
    const id = String(answer.headers['x-request-id']);
    const [line] = await eventually(async () => {
      const lines = await site.accessLog('/api/v1/alerts/edge-log');
      return lines.length > 0 && lines;
    });
    const logged = await eventually(async () => {
      const lines = (await site.stack.logs('api-blue')).split('\n');
      return lines.find((candidate) => candidate.includes(id) && candidate.includes('status_code'));
    });
    const { request_id, client_ip } = JSON.parse(logged) as Record<string, string>;
    assert.deepEqual({ request_id, client_ip }, { request_id: line!.request_id, client_ip: line!.client_ip });
  });

  await promises.keep('L2: what is not public is not, before the api itself either', async () => {
    for (const path of ['/metrics', '/monitoring/metrics']) assert.equal((await ask({ port, path })).status, 404, path);
    assert.equal((await ask({ port, path: '/monitoring/health/detailed' })).status, 401);
    const ready = await ask({ port, path: '/health/ready' });
    assert.equal(ready.status, 200);
    for (const name of ['strict-transport-security', 'x-frame-options', 'content-security-policy', 'x-request-id']) {
      assert.equal(ready.all(name).length, 1, name);
    }
  });
}

/** Secrets are replaced while it runs. */
export async function rotation(site: Site, promises: Promises): Promise<void> {
  const replaced = async (name: string, restarted: string[]) => {
    const before = await readFile(join(site.directory, 'secrets', name), 'utf8');
    const said = await site.initSecrets('--rotate', name, '--yes');
    const after = await readFile(join(site.directory, 'secrets', name), 'utf8');
    assert.notEqual(after, before, name);
    assert.ok(!said.includes(after) && !said.includes(before), 'the script does not say them');
    if (restarted.length > 0) await site.stack.runOrThrow(['restart', ...restarted]);
    await site.stack.up([], { waitMs: 300_000 });
    return { before, after };
  };
  await promises.keep('K3: passwords of PostgreSQL and Redis are replaced, and everything goes on', async () => {
    await replaced('postgres_password', []);
    await replaced('postgres_eyrie_password', ['api-blue', 'worker']);
    await replaced('redis_password', ['redis', 'api-blue', 'worker']);
    const { before, after } = await replaced('encryption_keys', []);
    assert.ok(after.endsWith(`,${before}`), 'the old key is kept behind the new one');
    const admin = await site.stack.exec('postgres', ['psql-admin', '--command', 'SELECT 1']);
    assert.equal(admin.status, 0, admin.stderr);
    await eventually(
      async () => (await sleep(300)) ?? (await ask({ port: site.ports.https, path: '/health/ready' })).status === 200,
      30_000,
    );
    await assert.rejects(site.initSecrets('--rotate', 'backup_key', '--yes'), /never replaced/);
  });
}

/** Of what is not as it should be: how it is, and the end of its log. */
async function lastWords(site: Site): Promise<string> {
  const ill = (await site.stack.ps()).filter(({ State, Health }) => State !== 'running' || Health !== 'healthy');
  const words = ill.map(async ({ ID, Name, State, Health }) => {
    const { stdout, stderr } = await docker(['logs', '--tail', '2', ID]);
    return `${Name} ${State} ${Health}: ${(stdout + stderr).trim().slice(-600)}`;
  });
  return (await Promise.all(words)).join('\n');
}

async function digests(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes('.state'));
  const digest = async (path: string) =>
    `${path} ${createHash('sha256')
      .update(await readFile(path))
      .digest('hex')}`;
  return (await Promise.all(files.map(({ parentPath, name }) => digest(join(parentPath, name))))).sort();
}
