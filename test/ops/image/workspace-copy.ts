import { cp, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What images are built of, and the development compose file runs on. */
const PARTS = [
  ...['.dockerignore', '.npmrc', 'Dockerfile', 'LICENSE', 'docker-compose.yml', 'nest-cli.json', 'package.json'],
  ...['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'esbuild.config.js'],
  ...['apps', 'libs', 'deploy/image', 'deploy/dev'],
];

/** What a checkout may hold beside its sources, and no image may. */
const STRAYS = [
  '.env',
  '.env.production',
  'apps/api/.env.local',
  'libs/config/.env',
  'secrets/database_url',
  'notes.log',
];

/** Stands in every one of {@link STRAYS}. */
export const PLANTED = 'planted-Wq7vX2mLw9sKc4Tn8bZe';

/** Copies the workspace, so that it can be edited, and plants files with a secret in it. */
export async function copyWorkspace(folder: string): Promise<void> {
  for (const part of PARTS) {
    const filter = (path: string) => !['node_modules', 'dist'].includes(basename(path));
    await cp(join(ROOT, part), join(folder, part), { recursive: true, filter });
  }
  for (const stray of STRAYS) {
    await mkdir(dirname(join(folder, stray)), { recursive: true });
    await writeFile(join(folder, stray), `PLANTED=${PLANTED}\n`);
  }
}
