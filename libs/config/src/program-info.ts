import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a program can say of itself. */
export interface ProgramInfo {
  /** Of its package. */
  version: string;
  /** Commit and time of the build, from GIT_SHA and BUILD_TIME, which the image's build sets; empty elsewhere. */
  gitSha: string;
  buildTime: string;
  /** RFC 3339. */
  startedAt: string;
}

/**
 * Reads it from the nearest `package.json` above `directory` and from the environment.
 * @example const info = readProgramInfo(import.meta.dirname);
 */
export function readProgramInfo(directory: string, env: NodeJS.ProcessEnv = process.env): ProgramInfo {
  const file = join(directory, 'package.json');
  if (!existsSync(file)) {
    if (dirname(directory) === directory) throw new Error('there is no package.json above this program');
    return readProgramInfo(dirname(directory), env);
  }
  const { version = '0.0.0' } = JSON.parse(readFileSync(file, 'utf8')) as { version?: string };
  return {
    version,
    gitSha: env['GIT_SHA'] ?? '',
    buildTime: env['BUILD_TIME'] ?? '',
    startedAt: new Date(Date.now() - process.uptime() * 1000).toISOString(),
  };
}
