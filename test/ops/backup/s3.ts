import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { docker, dockerOrThrow } from '../../harness/docker.ts';
import type { Cleanup } from '../../harness/processes.ts';
import { type Stack, until } from './stack.ts';

const SERVER = fileURLToPath(new URL('./s3-server.ts', import.meta.url));

export interface S3 {
  container: string;
  /** What a stack needs to know in its .env. */
  settings: Record<string, string>;
  /** Puts the key into the stack's secrets. */
  admit(stack: Stack): Promise<void>;
  /** Makes the server known as `s3` in a network. */
  join(network: string): Promise<void>;
}

/** An S3-compatible server in a container, with a certificate of its own that nobody else trusts. */
export async function startS3(project: string, folder: string, cleanup: Cleanup): Promise<S3> {
  const [keyId, secret] = ['BACKUPS', randomBytes(24).toString('base64url')];
  const [certificate, key] = [join(folder, 's3.crt'), join(folder, 's3.key')];
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=s3',
      ],
      ...['-addext', 'subjectAltName=DNS:s3', '-keyout', key, '-out', certificate],
    ],
    { stdio: 'pipe' },
  );
  await writeFile(join(folder, 's3.secret'), secret);
  await Promise.all([key, certificate, join(folder, 's3.secret')].map((file) => chmod(file, 0o644)));

  const container = `${project}-s3`;
  const files = ['/s3/s3.secret', '/s3/s3.crt', '/s3/s3.key'];
  await dockerOrThrow([
    ...[
      'run',
      '--detach',
      '--name',
      container,
      '--volume',
      `${folder}:/s3:ro`,
      '--volume',
      `${SERVER}:/app/s3-server.ts:ro`,
    ],
    ...['node:24-trixie-slim', 'node', '--no-warnings', '/app/s3-server.ts', keyId, ...files],
  ]);
  cleanup.add('the S3 server', () => docker(['rm', '--force', '--volumes', container]));
  await until('the S3 server', async () => (await docker(['logs', container])).stdout.includes('listening'), 20_000);
  return {
    container,
    settings: {
      BACKUP_S3_ENDPOINT: 'https://s3:9000',
      BACKUP_S3_BUCKET: 'backups',
      BACKUP_S3_PREFIX: 'eyrie',
      BACKUP_S3_CA: certificate,
    },
    admit: async (stack) => {
      const file = join(stack.directory, 'secrets/backup_s3');
      await chmod(file, 0o644);
      await writeFile(file, `${keyId}\n${secret}\n`);
    },
    join: async (network) => {
      await dockerOrThrow(['network', 'connect', '--alias', 's3', network, container]);
      cleanup.add('its network', () => docker(['network', 'disconnect', '--force', network, container]));
    },
  };
}
