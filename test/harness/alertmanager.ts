import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { type Cleanup, freePort, Program } from './processes.ts';

const run = promisify(execFile);

/** How to run a program of the Prometheus family: from the PATH, or from its container image on the host's network. */
export interface Launcher {
  version: string;
  /** A program with these arguments; the folder of `configFile` is visible to it under the same path. */
  program(options: {
    name: string;
    args: string[];
    configFile: string;
    logDirectory: string;
    readyUrl: string;
  }): Program;
  end(program: Program): Promise<void>;
}

/**
 * Finds `name` on the PATH (of at least version `minimum`) or the image in a local Docker engine.
 * @returns undefined where neither is there.
 */
export async function findLauncher(name: string, minimum: string, image: string): Promise<Launcher | undefined> {
  const installed = versionIn(await output(name, ['--version']));
  if (installed && compare(installed, minimum) >= 0) {
    return {
      version: installed,
      program: (options) => new Program({ ...options, command: name }),
      end: async (program) => void (await program.stop()),
    };
  }
  const present = await output('docker', ['image', 'inspect', '--format', '{{.Id}}', image]);
  if (!present) return undefined;
  const container = (program: string) => `eyrie-${program}-${process.pid}`;
  return {
    version: versionIn(image) ?? image,
    program: (options) => {
      const folder = dirname(options.configFile);
      const where = ['--rm', '--name', container(options.name), '--network', 'host', '-v', `${folder}:${folder}:ro`];
      return new Program({ ...options, command: 'docker', args: ['run', ...where, image, ...options.args] });
    },
    end: async (program) => {
      // The client's death would leave the container: it is removed by its name, which is ours alone.
      await output('docker', ['rm', '-f', container(program.name)]);
      await program.kill();
    },
  };
}

/** Starts Alertmanager, in memory but for its snapshots, without a cluster. Undefined where there is none. */
export async function startAlertmanager(
  { configFile, logDirectory }: { configFile: string; logDirectory: string },
  cleanup: Cleanup,
): Promise<{ url: string; version: string } | undefined> {
  const launcher = await findLauncher('alertmanager', '0.27', 'prom/alertmanager:v0.33.1');
  if (!launcher) return undefined;
  const url = `http://127.0.0.1:${await freePort()}`;
  const storage = `/tmp/eyrie-alertmanager-${process.pid}`;
  cleanup.add('its storage', () => rm(storage, { recursive: true, force: true }));
  const program = launcher.program({
    name: 'alertmanager',
    args: [
      `--config.file=${configFile}`,
      `--storage.path=${storage}`,
      `--web.listen-address=${new URL(url).host}`,
      '--cluster.listen-address=',
      '--log.level=warn',
    ],
    configFile,
    logDirectory,
    readyUrl: `${url}/-/ready`,
  });
  cleanup.add('alertmanager', () => launcher.end(program));
  await program.start();
  return { url, version: launcher.version };
}

async function output(command: string, args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run(command, args);
    return stdout + stderr;
  } catch {
    return '';
  }
}

const versionIn = (text: string): string | undefined => /(\d+\.\d+\.\d+)/.exec(text)?.[1];

function compare(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true });
}
