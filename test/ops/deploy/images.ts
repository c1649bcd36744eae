import { fileURLToPath } from 'node:url';
import { buildImage, docker, dockerOrThrow, productImage } from '../../harness/docker.ts';
import type { Cleanup } from '../../harness/processes.ts';

const FOLDER = fileURLToPath(new URL('images/', import.meta.url));

/** In which way a version is bad; see images/broken/faults and images/next/migrations. */
export type Fault = 'crash' | 'unready' | 'error' | 'slow' | 'worker' | 'migration';

export interface Release {
  image: string;
  id: string;
  version: string;
}

/** The versions of the product that the drill deploys, in a repository of their own: what a deploy prunes is nobody else's. */
export class Images {
  readonly #repository = `eyrie-drill-${process.pid}`;
  #made = 0;

  constructor(cleanup: Cleanup) {
    cleanup.add('the images', async () => {
      const ours = `reference=${this.#repository}*`;
      const listing = await dockerOrThrow(['image', 'ls', '--filter', ours, '--format', '{{.Repository}}:{{.Tag}}']);
      for (const tag of listing.split('\n').filter(Boolean)) await docker(['image', 'rm', '--force', tag]);
    });
  }

  /** The product as it is. */
  async current(): Promise<Release> {
    const image = `${this.#repository}:current`;
    for (const tag of [image, this.#base]) await dockerOrThrow(['tag', await productImage(), tag]);
    const says = ['run', '--rm', '--network=none', image, 'node', '-p', 'require("/app/package.json").version'];
    return this.#release(image, await dockerOrThrow(says));
  }

  /** Another version, which brings a migration. */
  next(): Promise<Release> {
    return this.#build('next', { MIGRATION: 'expand' });
  }

  /** Another version, which is bad. */
  broken(fault: Fault): Promise<Release> {
    if (fault === 'migration') return this.#build('next', { MIGRATION: 'failing' });
    return this.#build('broken', { FAULT: fault });
  }

  /** What the others are made from, in a repository that no deploy prunes. */
  get #base(): string {
    return `${this.#repository}-base:latest`;
  }

  async #build(folder: 'next' | 'broken', args: Record<string, string>): Promise<Release> {
    const version = `9.${++this.#made}.0`;
    const image = `${this.#repository}:${version}`;
    const buildArgs = { ...args, BASE: this.#base, VERSION: version };
    await buildImage(image, { context: `${FOLDER}${folder}`, buildArgs });
    return this.#release(image, version);
  }

  async #release(image: string, version: string): Promise<Release> {
    return { image, version, id: await dockerOrThrow(['image', 'inspect', '--format', '{{.Id}}', image]) };
  }
}
