import { parseArgs } from 'node:util';
import type { ApiKey } from './api-key.js';
import { ApiKeyError } from './api-key-error.js';
import type { ApiKeysService } from './api-keys.service.js';
import { scopes } from './caller.js';
import { table, timeOf } from './text-table.js';

const usage = `Usage:
  npm run keys -- create NAME --scope ${scopes.join('|')} [--scope …]
  npm run keys -- list [--json]
  npm run keys -- revoke NAME|ID
In an image: eyrie keys …
`;

/** EX_USAGE of sysexits.h. */
const EX_USAGE = 64;

/** What a command says, and where errors go. */
export interface Streams {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

/** The commands by which a person handles API keys. Returns the exit status: 0, 1 if it cannot be done, 64 if not understood. */
export async function keysCli(
  keys: Pick<ApiKeysService, 'create' | 'list' | 'revoke'>,
  argv: readonly string[],
  { stdout, stderr }: Streams,
): Promise<number> {
  const parsed = parse(argv);
  if ('fault' in parsed) {
    stderr.write(`${parsed.fault}\n\n${usage}`);
    return EX_USAGE;
  }
  try {
    stdout.write(await run(keys, parsed));
    return 0;
  } catch (error) {
    if (!(error instanceof ApiKeyError)) throw error;
    stderr.write(`${error.message}\n`);
    return 1;
  }
}

type Command =
  | { command: 'create'; name: string; scopes: string[] }
  | { command: 'list'; json: boolean }
  | { command: 'revoke'; name: string }
  | { command: 'help' };

async function run(keys: Pick<ApiKeysService, 'create' | 'list' | 'revoke'>, asked: Command): Promise<string> {
  switch (asked.command) {
    case 'help':
      return usage;
    case 'create': {
      const created = await keys.create(asked.name, asked.scopes);
      return `${created.key}\n\nKept as "${created.name}" (${created.scopes.join(', ')}). It will not be shown again.\n`;
    }
    case 'list': {
      const all = await keys.list();
      return asked.json ? `${JSON.stringify(all, undefined, 2)}\n` : listOf(all);
    }
    case 'revoke': {
      const { name, id } = await keys.revoke(asked.name);
      return `Revoked "${name}" (${id}). It stops working within 10 seconds.\n`;
    }
  }
}

function parse(argv: readonly string[]): Command | { fault: string } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        scope: { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return { command: 'help' };
    const [command, name, ...rest] = positionals;
    if (rest.length > 0 || (command === 'list' && name !== undefined)) return { fault: 'Too many arguments.' };
    if (values.scope.length > 0 && command !== 'create') return { fault: '--scope belongs to create.' };
    if (values.json && command !== 'list') return { fault: '--json belongs to list.' };
    if (command === 'list') return { command, json: values.json };
    if (command !== 'create' && command !== 'revoke')
      return { fault: command ? `No such command: ${command}.` : 'Which command?' };
    if (name === undefined) return { fault: `${command} needs a name.` };
    return command === 'revoke'
      ? { command, name }
      : { command, name, scopes: values.scope.flatMap((each) => each.split(',')) };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

function listOf(keys: readonly ApiKey[]): string {
  const rows = keys.map((key) => [
    key.name,
    key.prefix ? `${key.prefix}…` : '-',
    key.scopes.join(','),
    key.source,
    timeOf(key.createdAt),
    timeOf(key.lastUsedAt),
    timeOf(key.revokedAt),
  ]);
  return table([['NAME', 'KEY', 'SCOPES', 'SOURCE', 'CREATED', 'LAST USED', 'REVOKED'], ...rows]);
}
