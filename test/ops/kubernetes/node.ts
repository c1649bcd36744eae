/**
 * A node for tests: runs the containers of manifests in Docker as a kubelet would, with their user, read-only root, bounds,
 * volumes, ConfigMaps, Secrets, arguments, probes and grace. Policies are not enforced, and nothing is restarted.
 */
import { connect } from 'node:net';
import { once } from 'node:events';
import { docker, dockerOrThrow } from '../../harness/docker.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Cleanup } from '../../harness/processes.ts';
import {
  type Container,
  environmentOf,
  ofKind,
  type Probe,
  quantity,
  selects,
  type Workload,
  workloads,
} from './manifests.ts';
import { makeVolumes, type Sources } from './pod-volumes.ts';

export interface NodeOptions extends Sources {
  /** Volumes are made in it; Docker has to be able to mount from it. */
  folder: string;
  /** What is run in place of an image of the manifests. */
  image: (name: string) => string;
}

export class TestNode {
  readonly #options: NodeOptions;
  readonly #cleanup: Cleanup;
  readonly #name = `eyrie-kubernetes-${process.pid}`;

  private constructor(options: NodeOptions, cleanup: Cleanup) {
    this.#options = options;
    this.#cleanup = cleanup;
  }

  static async start(options: NodeOptions, cleanup: Cleanup): Promise<TestNode> {
    const node = new TestNode(options, cleanup);
    await dockerOrThrow(['network', 'create', node.#name]);
    cleanup.add('the network of the pods', () => docker(['network', 'rm', node.#name]));
    return node;
  }

  /** The workload of a kind whose name begins so. */
  workload(kind: string, name: string): Workload {
    const found = workloads(ofKind(this.#options.objects, kind)).find(({ object }) =>
      object.metadata.name.startsWith(name),
    );
    if (!found) throw new Error(`no ${kind} ${name}`);
    return found;
  }

  /** Starts one container of a workload's pod; its first, unless another is given. Services lead to it. */
  async run(workload: Workload, container = workload.template.spec.containers[0]!): Promise<RunningContainer> {
    const { objects, folder, image } = this.#options;
    const { runAsUser, runAsGroup, fsGroup } = workload.template.spec.securityContext ?? {};
    const volumes = await makeVolumes(workload, this.#options, folder);
    const name = `${this.#name}-${workload.object.metadata.name}-${container.name}`;
    const services = ofKind(objects, 'Service').filter(({ spec }) =>
      selects({ matchLabels: spec.selector }, workload.labels),
    );
    const limits = container.resources?.limits ?? {};
    this.#cleanup.add(name, () => docker(['rm', '--force', '--volumes', name]));
    await dockerOrThrow([
      ...['run', '--detach', '--name', name, '--network', this.#name, '--read-only', '--cap-drop', 'ALL'],
      ...['--security-opt', 'no-new-privileges', '--user', `${runAsUser}:${runAsGroup}`, '--group-add', `${fsGroup}`],
      ...['--memory', String(quantity(limits['memory']!)), '--cpus', String(quantity(limits['cpu']!))],
      ...services.flatMap(({ metadata }) => ['--network-alias', metadata.name]),
      ...Object.entries(environmentOf(container, objects)).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
      ...(container.volumeMounts ?? []).flatMap((mount) => [
        '--volume',
        `${volumes.get(mount.name)!}:${mount.mountPath}${mount.readOnly ? ':ro' : ''}`,
      ]),
      image(container.image),
      ...(container.args ?? []),
    ]);
    return new RunningContainer(name, workload, container);
  }
}

export class RunningContainer {
  readonly name: string;
  readonly #workload: Workload;
  readonly #container: Container;

  constructor(name: string, workload: Workload, container: Container) {
    this.name = name;
    this.#workload = workload;
    this.#container = container;
  }

  /** Waits as a kubelet does: until it has started, and then until it is ready. @throws with its log */
  async ready(limitMs = 180_000): Promise<void> {
    const { startupProbe, readinessProbe } = this.#container;
    for (const [what, probe] of Object.entries({ started: startupProbe!, ready: readinessProbe! })) {
      const answer = await eventually(async () => {
        if (!(await this.running())) return 'ended';
        return (await this.#passes(probe)) && 'passed';
      }, limitMs).catch((error: Error) => error.message);
      if (answer !== 'passed') throw new Error(`${this.name} is not ${what}: ${answer}\n${await this.log()}`);
    }
  }

  /** The exit status, once it has ended. */
  async ended(limitMs = 180_000): Promise<number> {
    return Number(await dockerOrThrow(['wait', this.name], { timeoutMs: limitMs }));
  }

  /** Asks it to stop, with what preStop leaves of its grace; returns its exit status, 137 for one that had to be killed. */
  async stop(): Promise<{ status: number; seconds: number }> {
    const preStop = this.#container.lifecycle?.preStop?.sleep?.seconds ?? 0;
    const grace = (this.#workload.template.spec.terminationGracePeriodSeconds ?? 30) - preStop;
    const started = Date.now();
    await dockerOrThrow(['stop', '--time', String(grace), this.name], { timeoutMs: (grace + 30) * 1_000 });
    return { status: await this.ended(), seconds: Math.round((Date.now() - started) / 100) / 10 };
  }

  /** An address of it, by the name of its port. */
  async url(port: string | number, path = '/'): Promise<string> {
    const number = this.#container.ports?.find(({ name }) => name === port)?.containerPort ?? port;
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
    return `http://${await dockerOrThrow(['inspect', '--format', format, this.name])}:${number}${path}`;
  }

  async running(): Promise<boolean> {
    return (await dockerOrThrow(['inspect', '--format', '{{.State.Running}}', this.name])) === 'true';
  }

  /** Runs a program in it. @throws with what it wrote unless it ends with status 0 */
  exec(...command: string[]): Promise<string> {
    return dockerOrThrow(['exec', this.name, ...command]);
  }

  async log(lines = 20): Promise<string> {
    const { stdout, stderr } = await docker(['logs', '--tail', String(lines), this.name]);
    return `${stdout}${stderr}`.trim();
  }

  async #passes({ httpGet, tcpSocket, exec }: Probe): Promise<boolean> {
    if (exec) return (await docker(['exec', this.name, ...exec.command])).status === 0;
    if (httpGet)
      return (await fetch(await this.url(httpGet.port, httpGet.path), { signal: AbortSignal.timeout(2_000) })).ok;
    const { hostname, port } = new URL(await this.url(tcpSocket!.port));
    const socket = connect({ host: hostname, port: Number(port), timeout: 2_000 });
    try {
      await once(socket, 'connect');
      return true;
    } finally {
      socket.destroy();
    }
  }
}
