import { execFile } from 'node:child_process';
import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Compose } from '../../harness/docker.ts';
import { type Cleanup, freePort, openFolder } from '../../harness/processes.ts';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

/** An environment of deploy/prod/compose.yaml in a temporary folder, made by init-secrets, under a project of its own. */
export class Site {
  readonly directory: string;
  readonly ports: { http: number; https: number };
  readonly stack: Compose;

  private constructor(directory: string, ports: { http: number; https: number }, stack: Compose) {
    this.directory = directory;
    this.ports = ports;
    this.stack = stack;
  }

  /** Nothing of it runs yet. `overrides` are compose files over production's, from the project's root. */
  static async make(name: string, overrides: readonly string[], cleanup: Cleanup): Promise<Site> {
    const directory = await openFolder(`edge-${name}`);
    const nginx = join(directory, 'nginx');
    await cp(join(ROOT, 'deploy/nginx'), nginx, { recursive: true });
    const project = `eyrie-edge-${name}-${process.pid}`;
    const ports = { http: await freePort(), https: await freePort() };
    const stack = new Compose({
      project,
      files: ['deploy/prod/compose.yaml', ...overrides].map((file) => join(ROOT, file)),
      envFile: join(directory, '.env'),
      directory: join(ROOT, 'deploy/prod'),
      env: { TEST_NGINX: nginx },
    });
    const site = new Site(directory, ports, stack);
    cleanup.add(`the folder of ${project}`, () => rm(directory, { recursive: true }));
    await site.initSecrets();
    await site.set({
      COMPOSE_PROJECT_NAME: project,
      BIND_ADDRESS: '127.0.0.1',
      HTTP_PORT: ports.http,
      HTTPS_PORT: ports.https,
    });
    cleanup.add(project, () => stack.down({ timeoutSeconds: 1 }));
    return site;
  }

  /** Runs deploy/scripts/init-secrets for it. @throws with what it wrote unless it ends with status 0 */
  async initSecrets(...args: string[]): Promise<string> {
    const { stdout } = await run(join(ROOT, 'deploy/scripts/init-secrets'), ['--env', this.directory, ...args], {
      timeout: 60_000,
    });
    return stdout;
  }

  /** Changes .env. */
  async set(settings: Record<string, string | number>): Promise<void> {
    const file = join(this.directory, '.env');
    let text = await readFile(file, 'utf8');
    for (const [name, value] of Object.entries(settings))
      text = text.replace(new RegExp(`^${name}=.*$`, 'm'), `${name}=${value}`);
    await writeFile(file, text);
  }

  /** Adds to app.env. */
  async tellApps(settings: Record<string, string>): Promise<void> {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await appendFile(join(this.directory, 'app.env'), lines.join(''));
  }

  /** So many replicas of the api in a slot; those that there are stay, or as many of them. */
  async scale(slot: 'blue' | 'green', count: number): Promise<void> {
    const up = ['up', '--detach', '--wait', '--no-build', '--no-recreate', '--no-deps'];
    await this.stack.runOrThrow([...up, '--scale', `api-${slot}=${count}`, `api-${slot}`]);
  }

  /** `docker compose exec nginx …`, which never throws. */
  nginx(...command: string[]) {
    return this.stack.exec('nginx', command, { timeoutMs: 60_000 });
  }

  /** The lines of Nginx' access log with this text in the path. */
  async accessLog(path: string): Promise<Record<string, string | number>[]> {
    const lines = (await this.stack.logs('nginx')).split('\n').filter((line) => line.startsWith('{'));
    return lines
      .map((line) => JSON.parse(line) as Record<string, string | number>)
      .filter(({ url }) => String(url).includes(path));
  }
}
