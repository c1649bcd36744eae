import { type Compose, dockerOrThrow } from '../../harness/docker.ts';

/** What Docker says of a container, as far as it matters here. */
export interface Container {
  service: string;
  /** Ports that can be reached from outside of the host's containers. */
  published: string[];
  user: string;
  running: boolean;
  /** Of the first process, as the kernel has it. */
  uid: string | undefined;
  host: {
    ReadonlyRootfs: boolean;
    CapDrop: string[] | null;
    CapAdd: string[] | null;
    SecurityOpt: string[] | null;
    Memory: number;
    NanoCpus: number;
    PidsLimit: number | null;
    RestartPolicy: { Name: string };
    LogConfig: { Type: string; Config: Record<string, string> };
    Privileged: boolean;
  };
}

interface Inspected {
  Id: string;
  Config: { User: string; Labels: Record<string, string> };
  HostConfig: Container['host'];
  NetworkSettings: { Ports: Record<string, unknown[] | null> };
  State: { Running: boolean };
}

/** All containers of a project. */
export async function inspectAll(stack: Compose): Promise<Container[]> {
  const ids = (await stack.ps()).map(({ ID }) => ID);
  const all = JSON.parse(await dockerOrThrow(['inspect', ...ids])) as Inspected[];
  return Promise.all(
    all.map(async ({ Id, Config, HostConfig, NetworkSettings, State }) => {
      const ports = Object.entries(NetworkSettings.Ports).filter(
        ([, bindings]) => bindings !== null && bindings.length > 0,
      );
      const script = "sed -n 's/^Uid:\\t\\([0-9]*\\).*/\\1/p' /proc/1/status";
      return {
        service: Config.Labels['com.docker.compose.service']!,
        published: ports.map(([port]) => port).sort(),
        user: Config.User,
        running: State.Running,
        uid: State.Running ? await dockerOrThrow(['exec', Id, 'sh', '-c', script]) : undefined,
        host: HostConfig,
      };
    }),
  );
}

/** What a container may do, and should not. */
export function limitsOf({ service, user, uid, running, host }: Container): string[] {
  const oneShot = service === 'migrate';
  const wanted: [string, boolean][] = [
    [
      'has another user than root',
      running ? uid !== undefined && uid !== '0' : user !== '' && !user.startsWith('0') && !user.startsWith('root'),
    ],
    ['has a read-only root', host.ReadonlyRootfs],
    ['drops all capabilities', host.CapDrop?.includes('ALL') === true && (host.CapAdd ?? []).length === 0],
    ['gains no privileges', host.SecurityOpt?.includes('no-new-privileges:true') === true && !host.Privileged],
    ['has a limit of memory', host.Memory > 0],
    ['has a limit of CPU', host.NanoCpus > 0],
    ['has a limit of processes', (host.PidsLimit ?? 0) > 0],
    ['comes back', oneShot || host.RestartPolicy.Name === 'unless-stopped'],
    ['rotates its log', host.LogConfig.Type === 'json-file' && host.LogConfig.Config['max-size'] !== undefined],
  ];
  return wanted.filter(([, holds]) => !holds).map(([what]) => what);
}
