import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dockerOrThrow } from '../../harness/docker.ts';
import type { Stack } from './stack.ts';

const SAMPLE_MS = 100;
const CANARY = 'a word that a process in a container has on its command line';

interface Secret {
  name: string;
  value: string;
}

/** Looks at the command lines of all processes of the machine, those in containers included, all the time. */
export class SecretWatch {
  readonly #seen = new Set<string>();
  #secrets: readonly Secret[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Whether it sees into containers: where it does not, it proves nothing. */
  #canarySeen = false;

  start(secrets: readonly Secret[]): void {
    this.#secrets = secrets;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const line = commandLine(pid);
      if (line.startsWith('bash -c') && line.includes(CANARY)) this.#canarySeen = true;
      for (const name of found(line, this.#secrets)) this.#seen.add(`${name} on a command line: ${line.slice(0, 60)}…`);
    }
  }

  /** What was seen, and what inspect, the logs, the output of the scripts and the audit log show. */
  async faults(stack: Stack): Promise<string[]> {
    await stack.inBackup(`sleep 1; : ${CANARY}`);
    this.stop();
    const derived =
      'source /usr/local/lib/eyrie/text.sh; source /usr/local/lib/eyrie/keys.sh; age_identity; derive_key pgbackrest';
    const [identity, cipher] = (await stack.inBackup(derived)).split('\n') as [string, string];
    const secrets = [
      ...this.#secrets,
      { name: 'the age identity', value: identity },
      { name: 'the cipher', value: cipher },
    ];
    const containers = [...(await stack.containerNames('backup')), ...(await stack.containerNames('postgres'))];
    const places: Record<string, string> = {
      inspect: await dockerOrThrow(['inspect', ...containers]),
      'the logs': await stack.compose.logs(),
      'the output of the scripts': stack.output,
      'the audit log': await readFile(join(stack.directory, '.state/audit.log'), 'utf8'),
      'the files of the volume': await stack.inBackup('cat /backups/dumps/*.json; ls -R /backups; cat /textfile/*'),
    };
    const shown = Object.entries(places).flatMap(([place, text]) =>
      found(text, secrets).map((name) => `${name} in ${place}`),
    );
    const blind = this.#canarySeen ? [] : ['the processes in containers cannot be seen from here'];
    return [...this.#seen, ...shown, ...blind];
  }
}

function found(text: string, secrets: readonly Secret[]): string[] {
  // A secret of several lines shows line by line; its user's name is none.
  const lines = secrets.flatMap(({ name, value }) => value.split('\n').map((line) => ({ name, line })));
  return lines.filter(({ line }) => line.length >= 16 && text.includes(line)).map(({ name }) => name);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it has ended
  }
}
