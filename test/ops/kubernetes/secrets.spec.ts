import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeCluster } from './fake-cluster.js';

describe('deploy/k8s/secrets', () => {
  let folder: string;
  let cluster: FakeCluster;
  let given: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'eyrie-k8s-secrets-'));
    cluster = new FakeCluster(join(folder, 'cluster'));
    given = join(folder, 'given');
    mkdirSync(join(given, 'receivers'), { recursive: true });
    give('database_url', 'postgresql://eyrie:from-the-file@db/eyrie\n');
    give('redis_url', 'rediss://:from-the-file@redis/0\n');
    give('postgres_backup_password', 'password-of-backup\n');
    give('receivers/slack_url', 'https://hooks.example.com/T0');
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const give = (name: string, value: string) => writeFileSync(join(given, name), value);
  const fromDirectory = (...more: string[]) => cluster.secrets('--namespace', 'eyrie', '--from', given, ...more);

  it('M1: makes what production needs of what is given, and what can be random', async () => {
    expect(await fromDirectory()).toMatchObject({ status: 0, stderr: '' });
    const secrets = cluster.contents;
    expect(Object.keys(secrets).sort()).toEqual([
      'eyrie-backup',
      'eyrie-database',
      'eyrie-keys',
      'eyrie-receivers',
      'eyrie-redis',
    ]);
    expect(secrets['eyrie-database']).toEqual({ database_url: 'postgresql://eyrie:from-the-file@db/eyrie' });
    expect(secrets['eyrie-backup']).toMatchObject({ username: 'backup', password: 'password-of-backup' });
    expect(secrets['eyrie-receivers']).toEqual({ slack_url: 'https://hooks.example.com/T0' });
    const keys = secrets['eyrie-keys']!;
    expect(Object.keys(keys).sort()).toEqual([
      'encryption_keys',
      'ingest_key',
      'operator_key',
      'webhook_signing_secret',
    ]);
    expect(new Set([...Object.values(keys), secrets['eyrie-backup']!['backup_key']]).size).toBe(5);
    expect(keys['encryption_keys']).toMatch(/^\d{4}-\d\d:[A-Za-z0-9+/]{43}=$/m);
  });

  it('M1: makes passwords and URLs of the stores of a trial, which agree', async () => {
    expect(await cluster.secrets('--namespace', 'eyrie-trial', '--trial')).toMatchObject({ status: 0 });
    const secrets = cluster.contents;
    const password = secrets['eyrie-postgres']!['password']!;
    expect(secrets['eyrie-database']!['database_url']).toBe(`postgresql://eyrie:${password}@eyrie-postgres:5432/eyrie`);
    const { redis_url: url, 'redis.conf': conf } = secrets['eyrie-redis']!;
    expect(conf).toBe(`requirepass ${new URL(url!).password}\n`);
  });

  it('M1: never changes a Secret that is there', async () => {
    await fromDirectory();
    const before = cluster.contents;
    give('database_url', 'postgresql://other');
    rmSync(join(cluster.folder, 'secret/eyrie-keys'), { recursive: true });
    expect((await fromDirectory()).stdout).toBe(
      'kept eyrie-backup\nkept eyrie-database\nmade eyrie-keys\nkept eyrie-receivers\nkept eyrie-redis\n',
    );
    expect(cluster.contents).toMatchObject({ ...before, 'eyrie-keys': expect.anything() });
    expect(cluster.contents['eyrie-keys']).not.toEqual(before['eyrie-keys']);
  });

  it('M1: shows no value, and gives none to a program as an argument', async () => {
    const { stdout, stderr } = await fromDirectory();
    const values = Object.values(cluster.contents).flatMap((secret) => Object.values(secret));
    for (const value of values.filter((each) => each !== 'backup')) {
      for (const text of [stdout, stderr, cluster.calls]) expect(text).not.toContain(value.trim());
    }
  });

  it('M1: with --dry-run says what it would make, and makes nothing', async () => {
    const { status, stdout } = await fromDirectory('--dry-run');
    expect(status).toBe(0);
    expect(stdout).toContain('would make eyrie-keys: encryption_keys ingest_key operator_key webhook_signing_secret');
    expect(cluster.contents).toEqual({});
    expect(cluster.calls).not.toContain('create');
  });

  it('M1: takes an unreachable cluster for no empty one', async () => {
    writeFileSync(join(cluster.folder, 'unreachable'), '');
    expect(await fromDirectory()).toMatchObject({ status: 1, stderr: expect.stringContaining('connection refused') });
    expect(cluster.calls).not.toContain('create');
  });

  it('M1: says what is missing or unclear in one line', async () => {
    rmSync(join(given, 'database_url'));
    expect(await fromDirectory()).toEqual({
      status: 2,
      stdout: '',
      stderr: `secrets: ${given}/database_url is missing or empty\n`,
    });
    expect((await cluster.secrets('--trial')).stderr).toBe('secrets: which --namespace?\n');
    expect((await cluster.secrets('--namespace', 'x')).stderr).toBe('secrets: either --from DIRECTORY or --trial\n');
  });

  it('M1: does not give half of the stores of a trial another password', async () => {
    await cluster.secrets('--namespace', 'eyrie-trial', '--trial');
    rmSync(join(cluster.folder, 'secret/eyrie-database'), { recursive: true });
    const { status, stderr } = await cluster.secrets('--namespace', 'eyrie-trial', '--trial');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^secrets: of eyrie-postgres and eyrie-database, .* one is missing/);
  });
});
