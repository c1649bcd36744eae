import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const script = fileURLToPath(new URL('../../../deploy/scripts/init-secrets', import.meta.url));
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'eyrie-init-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('init-secrets', () => {
  it('K3: makes settings, secrets and a certificate that only those may read whom they concern', async () => {
    expect(await initSecrets()).toMatchObject({ status: 0 });
    expect((await readdir(directory)).sort()).toEqual([
      '.env',
      '.state',
      'acme',
      'app.env',
      'certs',
      'config',
      'secrets',
    ]);
    expect(await mode('secrets')).toBe(0o700);
    expect(await mode('certs/tls.key')).toBe(0o400);
    expect(await mode('.env')).toBe(0o600);
    // Inside of that folder, for the users of the containers
    expect(await mode('secrets/database_url')).toBe(0o444);
    const password = await secret('postgres_eyrie_password');
    expect(password).toMatch(/^[0-9a-f]{64}$/);
    expect(await secret('database_url')).toBe(`postgresql://eyrie:${password}@postgres:5432/eyrie`);
    expect(await secret('redis_url')).toBe(`redis://:${await secret('redis_password')}@redis:6379/0`);
    expect(await secret('encryption_keys')).toMatch(/^[\w-]{1,32}:[\w+/]{43}=$/);
  });

  it('K3: a second run changes nothing, and adds what is missing', async () => {
    await initSecrets();
    const before = await secret('ingest_key');
    await rm(join(directory, 'secrets/operator_key'));
    await writeFile(join(directory, '.env'), 'SERVER_NAME=localhost\n');
    expect(await initSecrets()).toMatchObject({ status: 0 });
    expect(await secret('ingest_key')).toBe(before);
    expect(await secret('operator_key')).toMatch(/^[0-9a-f]{64}$/);
    expect(await readFile(join(directory, '.env'), 'utf8')).toBe('SERVER_NAME=localhost\n');
  });

  it('K3: --dry-run tells and touches nothing', async () => {
    const { status, stdout } = await initSecrets('--dry-run');
    expect(status).toBe(0);
    expect(stdout).toContain('secrets/redis_url made');
    expect(await readdir(directory)).toEqual([]);
  });

  it('K3: an environment beside production has names of its own', async () => {
    await initSecrets();
    const env = await readFile(join(directory, '.env'), 'utf8');
    expect(env).toContain(`\nEYRIE_DIR=${directory}\n`);
    expect(env).toMatch(/\nCOMPOSE_PROJECT_NAME=eyrie-[a-z0-9-]+\n/);
    expect(env).not.toContain('\nCOMPOSE_PROJECT_NAME=eyrie\n');
  });

  it('K3: replaces a secret in the file that containers have mounted, and what is made of it', async () => {
    await initSecrets();
    const inode = async () => (await stat(join(directory, 'secrets/redis_password'))).ino;
    const [before, file, keys] = [await secret('redis_password'), await inode(), await secret('encryption_keys')];
    const { status, stdout } = await initSecrets('--rotate', 'redis_password', '--yes');
    expect(status).toBe(0);
    expect(stdout).toMatch(/restart redis api-blue api-green worker/);
    const after = await secret('redis_password');
    expect(after).not.toBe(before);
    expect(stdout).not.toContain(after);
    expect(await inode()).toBe(file);
    expect(await secret('redis_url')).toContain(after);

    await initSecrets('--rotate', 'encryption_keys', '--yes');
    expect((await secret('encryption_keys')).split(',')).toEqual([expect.not.stringContaining(keys), keys]);
  });

  it('K3: refuses to replace what must not be, and says why in a line', async () => {
    await initSecrets();
    const refused = async (...args: string[]) => {
      const { status, stderr } = await initSecrets(...args, '--yes');
      expect(status).not.toBe(0);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      return stderr;
    };
    expect(await refused('--rotate', 'backup_key')).toMatch(/could not be read any more/);
    expect(await refused('--rotate', 'database_url')).toMatch(/is made of a password/);
    expect(await refused('--rotate', 'nonsense')).toMatch(/no secret nonsense/);
    expect(await refused('--certificate', '/dev/null')).toMatch(/go together/);
  });

  it('L2: installs a certificate with its key, and refuses what Nginx could not serve', async () => {
    await initSecrets();
    const [certificate, key, other] = ['c.crt', 'c.key', 'other.key'].map((name) => join(directory, name));
    const make = (file: string) => ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=x', '-keyout', file];
    await run('openssl', [...make(other!), '-out', certificate!]);
    await run('openssl', [...make(key!), '-out', certificate!]);
    expect(await initSecrets('--certificate', certificate!, '--key', other!)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/is not the key of/),
    });
    expect(await initSecrets('--certificate', certificate!, '--key', key!)).toMatchObject({ status: 0 });
    expect(await readFile(join(directory, 'certs/tls.crt'))).toEqual(await readFile(certificate!));
    expect(await mode('certs/tls.key')).toBe(0o400);
    expect(await initSecrets('--rotate', 'certificate', '--yes')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/is not self-signed by this script/),
    });
  });

  it('L2: warns of a certificate for another name, and makes the self-signed one anew', async () => {
    await initSecrets();
    const env = await readFile(join(directory, '.env'), 'utf8');
    await writeFile(join(directory, '.env'), env.replace('SERVER_NAME=localhost', 'SERVER_NAME=eyrie.example.org'));
    expect((await initSecrets()).stderr).toMatch(
      /does not name SERVER_NAME, eyrie\.example\.org: .* --rotate certificate/,
    );
    await initSecrets('--rotate', 'certificate', '--yes');
    expect((await initSecrets()).stderr).toBe('');
  });
});

const mode = async (path: string) => (await stat(join(directory, path))).mode & 0o777;
const secret = (name: string) => readFile(join(directory, 'secrets', name), 'utf8');
const initSecrets = (...args: string[]) => run(script, ['--env', directory, ...args]);

function run(program: string, args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? 1) : 0, stdout, stderr });
    });
  });
}
