import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const LIB = fileURLToPath(new URL('../../../deploy/backup/lib/', import.meta.url));

export interface BashOptions {
  input?: string;
  env?: Readonly<Record<string, string>>;
}

/** What a line of bash writes that can call the functions of these parts of the backup service. @throws if it fails */
export function inBash(parts: readonly string[], line: string, { input = '', env = {} }: BashOptions = {}): string {
  const sources = ['text', ...parts].map((part) => `source ${LIB}${part}.sh`).join('\n');
  return execFileSync('bash', ['--norc', '-c', `set -Eeuo pipefail\nshopt -s inherit_errexit\n${sources}\n${line}`], {
    input,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 60_000,
  });
}
