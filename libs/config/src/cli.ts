import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { SlicesByApp } from './catalogue.js';
import { renderEnvExample, renderMarkdown } from './documents.js';
import { inspect } from './inspect.js';
import { EX_CONFIG } from './load.js';
import { mergeInspections, renderReport } from './report.js';
import type { SourceOptions } from './sources.js';

const usage = `Usage: npm run config                     each effective setting and its source
       npm run config -- --json           the same for programs
       npm run config -- docs --write     write .env.example and docs/configuration.md
       npm run config -- docs --check     fail if one of them is stale
`;

const documents: Readonly<Record<string, (slicesByApp: SlicesByApp) => string>> = {
  '.env.example': renderEnvExample,
  'docs/configuration.md': renderMarkdown,
};

export interface CliOptions extends SourceOptions {
  write?: (text: string) => void;
  writeError?: (text: string) => void;
}

/**
 * The program behind `npm run config`.
 *
 * @returns the exit status: 0, 1 for stale documents, 2 for a wrong command line, 78 for a faulty environment.
 * @example process.exitCode = settingsCli({ api: apiSlices, worker: workerSlices }, process.argv.slice(2));
 */
export function settingsCli(slicesByApp: SlicesByApp, argv: readonly string[], options: CliOptions = {}): number {
  const {
    write = (text) => void process.stdout.write(text),
    writeError = (text) => void process.stderr.write(text),
    ...sources
  } = options;
  const command = parse(argv);
  if (command === 'help') write(usage);
  else if (command === 'wrong') writeError(usage);
  else if (command === 'check' || command === 'write') {
    const root = sources.cwd ?? process.cwd();
    return command === 'check' ? check(slicesByApp, root, writeError) : update(slicesByApp, root, write);
  } else {
    const entries = Object.entries(slicesByApp).map(([app, slices]) => [app, inspect(slices, sources)] as const);
    const report = mergeInspections(Object.fromEntries(entries));
    write(command === 'json' ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report));
    return report.faults.length > 0 ? EX_CONFIG : 0;
  }
  return command === 'wrong' ? 2 : 0;
}

type Command = 'show' | 'json' | 'write' | 'check' | 'help' | 'wrong';

function parse(argv: readonly string[]): Command {
  const flags = ['json', 'write', 'check', 'help'] as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: Object.fromEntries(flags.map((flag) => [flag, { type: 'boolean' } as const])),
    });
    const given = [...positionals, ...flags.filter((flag) => values[flag])].join(' ');
    const commands: Record<string, Command> = {
      '': 'show',
      show: 'show',
      json: 'json',
      'show json': 'json',
      'docs write': 'write',
      'docs check': 'check',
      help: 'help',
    };
    return commands[given] ?? 'wrong';
  } catch {
    return 'wrong';
  }
}

function update(slicesByApp: SlicesByApp, root: string, write: (text: string) => void): number {
  for (const [path, render] of Object.entries(documents)) {
    writeFileSync(join(root, path), render(slicesByApp));
    write(`wrote ${path}\n`);
  }
  return 0;
}

function check(slicesByApp: SlicesByApp, root: string, writeError: (text: string) => void): number {
  const stale = Object.entries(documents).filter(
    ([path, render]) => contentOf(join(root, path)) !== render(slicesByApp),
  );
  for (const [path] of stale) writeError(`${path} is stale: run npm run config -- docs --write and commit it.\n`);
  return stale.length > 0 ? 1 : 0;
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
