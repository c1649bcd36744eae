/**
 * A small model of a Docker engine with one compose project: images that behave well or badly, containers, Nginx' traffic.
 * It knows only what the scripts use and refuses the rest, and it notices what clients would: a slot that has traffic and no
 * replica to serve it, or one that serves wrong answers.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** How an image behaves once a container of it runs. */
export type Behaviour =
  | 'good'
  | 'refuses' // its check of the settings ends with 78
  | 'bad-migration'
  | 'crash'
  | 'sick' // never becomes healthy
  | 'fades' // is healthy when first looked at alone, and has crashed when that happens again
  | 'worker-fades' // its workers do
  | 'worker-stumbles' // its workers have crashed once before anybody looks at them
  | 'wrong' // healthy, and answers the smoke test with 500
  | 'errors' // passes the smoke test, answers a part of the real requests with 500
  | 'slow';

export interface Container {
  name: string;
  service: string;
  number: number;
  image: string;
  state: 'running' | 'exited' | 'restarting';
  restarts: number;
  createdAt: number;
  oneOff: boolean;
  looks: number;
  requests: number;
}

interface Image {
  id: string;
  version: string;
  behaviour: Behaviour;
}

export interface Reply {
  status: number;
  stdout: string;
  stderr: string;
}

const SLOTS = { 'api-blue': 'blue', 'api-green': 'green' } as const;

export class World {
  readonly project: string;
  readonly images = new Map<string, Image>();
  readonly containers = new Map<string, Container>();
  readonly services = new Set<string>();
  /** What a registry would hold: pulled, it is here. */
  readonly registry = new Map<string, Image>();
  traffic = { blue: 100, green: 0 };
  /** What clients, or those at the terminal, would have noticed. Must stay empty. */
  readonly noticed: string[] = [];
  /** True while something serves, so that from then on nothing may stop serving. */
  serving = false;
  backupFails = false;
  dockerRoot = '/nowhere';

  constructor(project: string) {
    this.project = project;
  }

  addImage(ref: string, version: string, behaviour: Behaviour = 'good', where = this.images): string {
    const id = `sha256:${createHash('sha256').update(`${ref} ${version}`).digest('hex')}`;
    where.set(ref, { id, version, behaviour });
    return id;
  }

  image(refOrId: string): Image | undefined {
    return this.images.get(refOrId) ?? [...this.images.values()].find(({ id }) => id === refOrId);
  }

  of(service: string): Container[] {
    return [...this.containers.values()].filter((container) => container.service === service && !container.oneOff);
  }

  /** Somebody looks at it, alone or among others. Between two looks at it alone it has aged, however soon the second follows. */
  age(container: Container, alone: boolean): void {
    if (alone) container.looks += 1;
    const { behaviour } = this.image(container.image)!;
    const worker = container.service === 'worker';
    const fades = behaviour === 'fades' || (behaviour === 'worker-fades' && worker);
    const stumbles = behaviour === 'worker-stumbles' && worker;
    if (container.restarts > 0 || !(stumbles || (fades && container.looks > 1))) return;
    if (container.oneOff) container.state = 'exited';
    container.restarts = 1;
  }

  health(container: Container): string {
    if (container.state !== 'running') return 'unhealthy';
    return this.image(container.image)!.behaviour === 'sick' ? 'starting' : 'healthy';
  }

  start(service: string, ref: string, name?: string): Container {
    const image = this.image(ref);
    if (!image) throw new Error(`no such image: ${ref}`);
    const number = Math.max(0, ...this.of(service).map((container) => container.number)) + 1;
    const container: Container = {
      name: name ?? `${this.project}-${service}-${number}`,
      service,
      number,
      image: image.id,
      state: image.behaviour === 'crash' ? 'restarting' : 'running',
      restarts: image.behaviour === 'crash' ? 3 : 0,
      createdAt: Date.now(),
      oneOff: name !== undefined,
      looks: 0,
      requests: 0,
    };
    this.containers.set(container.name, container);
    this.look();
    return container;
  }

  /** What a client would meet just now. */
  look(): void {
    for (const [service, slot] of Object.entries(SLOTS)) {
      if (this.traffic[slot] === 0) continue;
      const running = this.of(service).filter(({ state }) => state === 'running');
      const good = running.filter((container) => this.health(container) === 'healthy');
      if (good.length > 0) this.serving = true;
      else if (this.serving) this.noticed.push(`${slot} has ${this.traffic[slot]} % of the traffic and no replica`);
      const wrong = running.find(({ image }) => this.image(image)!.behaviour === 'wrong');
      if (wrong) this.noticed.push(`${wrong.name} has traffic and answers wrongly`);
    }
  }

  /** What it answered so far, in the words of lib/sample.mjs: with every look it has had a hundred requests more. */
  counters(container: Container): string {
    const slot = SLOTS[container.service as keyof typeof SLOTS];
    if (slot && this.traffic[slot] > 0) container.requests += 100;
    const { behaviour } = this.image(container.image)!;
    const { requests } = container;
    const errors = behaviour === 'errors' ? requests / 10 : 0;
    const fast = behaviour === 'slow' ? 0 : requests;
    return `requests ${requests}\nerrors ${errors}\nle 0.05 ${fast}\nle 2.5 ${requests}\nle +Inf ${requests}\n`;
  }

  /** The image that compose takes for a service: of the caller's environment, or the .env file. */
  imageOf(service: string, envFile: string, env: Readonly<Record<string, string>>): string {
    const file = Object.fromEntries(
      readFileSync(envFile, 'utf8')
        .split('\n')
        .filter((line) => /^[A-Z_]+=/.test(line))
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const value = (key: string) => env[key] || file[key] || undefined;
    const own = { 'api-blue': 'BLUE_IMAGE', 'api-green': 'GREEN_IMAGE', worker: 'WORKER_IMAGE' }[service];
    return (own && value(own)) ?? value('EYRIE_IMAGE') ?? 'eyrie:latest';
  }
}
