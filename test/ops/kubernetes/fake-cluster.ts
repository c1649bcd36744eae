/** deploy/k8s/secrets against a model of a cluster: what Secrets it makes. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Ended, ROOT, run } from './kustomize.ts';

const FAKES = join(ROOT, 'test/ops/kubernetes/fake');

export class FakeCluster {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    for (const kind of ['secret', 'namespace']) mkdirSync(join(folder, kind), { recursive: true });
  }

  /** Runs the script with these arguments. */
  secrets(...args: string[]): Promise<Ended> {
    const env = { ...process.env, PATH: `${FAKES}${delimiter}${process.env.PATH}`, FAKE_CLUSTER: this.folder };
    return run(join(ROOT, 'deploy/k8s/secrets'), args, '', env);
  }

  /** Its Secrets by name, each with its values by key. */
  get contents(): Record<string, Record<string, string>> {
    const read = (folder: string, map: (name: string) => unknown) =>
      Object.fromEntries(readdirSync(folder).map((name) => [name, map(name)]));
    const all = join(this.folder, 'secret');
    return read(all, (name) => read(join(all, name), (key) => readFileSync(join(all, name, key), 'utf8'))) as never;
  }

  /** What the script asked of kubectl. */
  get calls(): string {
    const file = join(this.folder, 'calls');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }
}
