/** A webhook receiver in a container on the stack's networks, which writes down what it is told. */
import { docker, dockerOrThrow } from '../../harness/docker.ts';

const SERVER = `
  require('node:http').createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { status, alerts } = JSON.parse(Buffer.concat(chunks).toString());
      for (const { labels, status: each } of alerts) console.log(JSON.stringify({ path: request.url, status, each, labels }));
      response.end();
    });
  }).listen(8080);
  process.on('SIGTERM', () => process.exit());`;

export interface Told {
  /** Who told it, by the path of its webhook. */
  path: string;
  each: string;
  labels: Record<string, string>;
}

export class Recorder {
  readonly name: string;
  #forgotten = 0;

  private constructor(name: string) {
    this.name = name;
  }

  /** Known as `recorder` on all these networks, which exist. */
  static async start(name: string, image: string, networks: readonly string[]): Promise<Recorder> {
    const alias = ['--network-alias', 'recorder'];
    const limits = ['--memory', '96m', '--read-only', '--user', '1000:1000'];
    const run = [
      'run',
      '--detach',
      '--name',
      name,
      ...limits,
      '--network',
      networks[0]!,
      ...alias,
      image,
      'node',
      '-e',
      SERVER,
    ];
    await dockerOrThrow(run);
    for (const network of networks.slice(1))
      await dockerOrThrow(['network', 'connect', '--alias', 'recorder', network, name]);
    return new Recorder(name);
  }

  async remove(): Promise<void> {
    await docker(['rm', '--force', this.name]);
  }

  /** What it was told so far does not count any more. */
  async forget(): Promise<void> {
    this.#forgotten = (await this.#lines()).length;
  }

  async told(path: string, alertname: string): Promise<Told[]> {
    const lines = (await this.#lines()).slice(this.#forgotten);
    return lines
      .map((line) => JSON.parse(line) as Told)
      .filter((told) => told.path === path && told.labels.alertname === alertname);
  }

  async #lines(): Promise<string[]> {
    return (await dockerOrThrow(['logs', this.name])).split('\n').filter((line) => line.startsWith('{'));
  }
}
