import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { metricsReference } from './reference.js';

const path = 'docs/metrics.md';

const usage = `Usage: npm run metrics                every metric: name, type, labels, unit, meaning
       npm run metrics -- --write     write ${path}
       npm run metrics -- --check     fail if it is stale
`;

export interface MetricsCliOptions {
  /** The root of the project. */
  cwd?: string;
  write?: (text: string) => void;
  writeError?: (text: string) => void;
}

/**
 * The program behind `npm run metrics`; it imports whatever defines metrics before.
 *
 * @returns the exit status: 0, 1 for a stale document, 2 for a wrong command line.
 * @example process.exitCode = metricsCli(process.argv.slice(2));
 */
export function metricsCli(argv: readonly string[], options: MetricsCliOptions = {}): number {
  const {
    cwd = process.cwd(),
    write = (text) => void process.stdout.write(text),
    writeError = (text) => void process.stderr.write(text),
  } = options;
  const command = parse(argv);
  if (command === 'wrong') writeError(usage);
  else if (command === 'help') write(usage);
  else if (command === 'show') write(metricsReference());
  else if (command === 'write') {
    writeFileSync(join(cwd, path), metricsReference());
    write(`wrote ${path}\n`);
  } else if (contentOf(join(cwd, path)) !== metricsReference()) {
    writeError(`${path} is stale: run npm run metrics -- --write and commit it.\n`);
    return 1;
  }
  return command === 'wrong' ? 2 : 0;
}

type Command = 'show' | 'write' | 'check' | 'help' | 'wrong';

function parse(argv: readonly string[]): Command {
  const flags = ['write', 'check', 'help'] as const;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: Object.fromEntries(flags.map((flag) => [flag, { type: 'boolean' } as const])),
    });
    const given = flags.filter((flag) => values[flag]);
    return given.length > 1 ? 'wrong' : (given[0] ?? 'show');
  } catch {
    return 'wrong';
  }
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
