import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const notCopied = new Set(['node_modules', 'dist', '.git', '.eyrie']);

/** The sources of this workspace, to be changed and built elsewhere, over the same packages. */
export function copyWorkspace(to: string): string {
  mkdirSync(to);
  for (const name of readdirSync(ROOT)) {
    if (!notCopied.has(name)) cpSync(join(ROOT, name), join(to, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(to, 'node_modules'));
  return to;
}
