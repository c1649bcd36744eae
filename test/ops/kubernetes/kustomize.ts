/** Renders overlays, with components as one would switch them on, by the kustomize in kubectl. */
import { execFile } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Document, parseDocument, type YAMLSeq } from 'yaml';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SOURCE = join(ROOT, 'deploy/k8s');

export interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, and never throws: the status tells; 127 where there is no such program. */
export function run(command: string, args: readonly string[], input = '', env = process.env): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      { cwd: ROOT, env, timeout: 120_000, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        const status = error ? (typeof error.code === 'number' ? error.code : 127) : 0;
        resolve({ status, stdout, stderr });
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** @throws with what kustomize says */
export async function render(directory: string): Promise<string> {
  const { status, stdout, stderr } = await run('kubectl', ['kustomize', directory]);
  if (status !== 0) throw new Error(`kubectl kustomize ${directory}: ${stderr.trim()}`);
  return stdout;
}

/** A copy of deploy/k8s in which components may be switched on. */
export class Copy {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async into(folder: string): Promise<Copy> {
    await cp(SOURCE, folder, { recursive: true });
    return new Copy(folder);
  }

  /** An overlay with these components besides its own, and without those. */
  async render(overlay: string, components: readonly string[] = [], without: readonly string[] = []): Promise<string> {
    const file = join(this.folder, 'overlays', overlay, 'kustomization.yaml');
    const original = await readFile(file, 'utf8');
    const document: Document = parseDocument(original);
    const own = ((document.get('components') as YAMLSeq | undefined)?.toJSON() ?? []) as string[];
    const path = (name: string) => `../../components/${name}`;
    const kept = own.filter((each) => !without.map(path).includes(each));
    document.set('components', [...new Set([...kept, ...components.map(path)])]);
    await writeFile(file, document.toString());
    try {
      return await render(join(this.folder, 'overlays', overlay));
    } finally {
      await writeFile(file, original);
    }
  }
}
