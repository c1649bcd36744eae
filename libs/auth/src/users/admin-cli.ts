import { parseArgs } from 'node:util';
import { type Database } from 'eyrie/database';
import { AccessError } from '../access-error.js';
import { recordAuthEvent, terminal } from '../auth-events.js';
import { type Role, roles } from '../caller.js';
import type { Streams } from '../keys-cli.js';
import { unlockAccount } from '../sessions/login-backoff.js';
import { table, timeOf } from '../text-table.js';
import { askSecret, NothingAnsweredError } from './ask-secret.js';
import { Passwords } from './passwords.js';
import type { User } from './user.js';
import { UsersService } from './users.service.js';

const usage = `Usage:
  npm run admin:create -- --email EMAIL [--name NAME] [PASSWORD]
  npm run admin -- create --email EMAIL [--name NAME] [--role ${roles.join('|')}] [PASSWORD]
  npm run admin -- reset-password EMAIL [PASSWORD]
  npm run admin -- disable|enable|unlock EMAIL
  npm run admin -- list [--json]
In an image: eyrie admin …

PASSWORD is never an argument. It is asked for at the terminal, or
  --password-stdin   is the first line of the standard input
  --generate         is made and shown once
`;

/** EX_USAGE of sysexits.h. */
const EX_USAGE = 64;

/** What the commands work with. */
export interface AdminTools {
  users: Pick<UsersService, 'create' | 'list' | 'resetPassword' | 'change'>;
  /** Forgets the failed logins of an account. */
  unlock: (email: string) => Promise<void>;
}

export interface AdminStreams extends Streams {
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
}

/** The tools over a database, for a program without the rest of an app. */
export function adminTools(database: Database): AdminTools {
  const users = new UsersService(database, new Passwords());
  return {
    users,
    async unlock(email) {
      const user = await users.find(email);
      if (!user) throw new AccessError('missing', `there is no user ${email}`);
      await database.transaction(async (tx) => {
        await unlockAccount(tx, user.email);
        await recordAuthEvent(tx, 'user-unlocked', terminal, { subject: user.email });
      });
    },
  };
}

/**
 * The commands by which whoever has a shell here lets people in: the first administrator, and those who are locked out.
 * Returns the exit status: 0, 1 if it cannot be done, 64 if not understood.
 */
export async function adminCli(tools: AdminTools, argv: readonly string[], streams: AdminStreams): Promise<number> {
  const asked = parse(argv);
  if ('fault' in asked) {
    streams.stderr.write(`${asked.fault}\n\n${usage}`);
    return EX_USAGE;
  }
  try {
    const password = 'password' in asked ? await readPassword(asked.password, streams) : undefined;
    streams.stdout.write(await run(tools, asked, password));
    return 0;
  } catch (error) {
    if (!(error instanceof AccessError || error instanceof NothingAnsweredError)) throw error;
    streams.stderr.write(`${error.message}\n`);
    return 1;
  }
}

type PasswordSource = 'terminal' | 'stdin' | 'generated';
type Command =
  | { command: 'create'; email: string; name?: string | undefined; role: Role; password: PasswordSource }
  | { command: 'reset-password'; email: string; password: PasswordSource }
  | { command: 'disable' | 'enable' | 'unlock'; email: string }
  | { command: 'list'; json: boolean }
  | { command: 'help' };

async function run({ users, unlock }: AdminTools, asked: Command, password: string | undefined): Promise<string> {
  switch (asked.command) {
    case 'help':
      return usage;
    case 'create': {
      const { email, name, role } = asked;
      const created = await users.create({ email, name, role, password }, terminal);
      return `${told(created.password)}${created.email} may log in now, as ${created.role}.\n`;
    }
    case 'reset-password': {
      const { password: generated } = await users.resetPassword(asked.email, password, terminal);
      return `${told(generated)}${asked.email} has a new password, and is logged out everywhere.\n`;
    }
    case 'disable':
      await users.change(asked.email, { disabled: true }, terminal);
      return `${asked.email} cannot log in any more, and is logged out everywhere.\n`;
    case 'enable':
      await users.change(asked.email, { disabled: false }, terminal);
      return `${asked.email} may log in again.\n`;
    case 'unlock':
      await unlock(asked.email);
      return `The failed logins of ${asked.email} are forgotten.\n`;
    case 'list': {
      const all = await users.list();
      return asked.json ? `${JSON.stringify(all, undefined, 2)}\n` : listOf(all);
    }
  }
}

const told = (generated: string | undefined) =>
  generated === undefined ? '' : `${generated}\n\nThat is the password. It will not be shown again.\n`;

function listOf(users: readonly User[]): string {
  const rows = users.map((user) => [
    user.email,
    user.name,
    user.role,
    timeOf(user.createdAt),
    timeOf(user.passwordChangedAt),
    timeOf(user.disabledAt),
  ]);
  return table([['EMAIL', 'NAME', 'ROLE', 'CREATED', 'PASSWORD CHANGED', 'DISABLED'], ...rows]);
}

/** The new password, or `undefined` for a generated one. */
async function readPassword(source: PasswordSource, streams: AdminStreams): Promise<string | undefined> {
  if (source === 'generated') return undefined;
  if (source === 'stdin') return readLine(streams.stdin);
  if (streams.stdin.isTTY !== true) {
    throw new AccessError('invalid', 'there is no terminal to ask for a password: use --password-stdin or --generate');
  }
  const ask = (question: string) => askSecret(question, { input: streams.stdin, output: streams.stderr });
  const password = await ask('New password: ');
  if ((await ask('Once more: ')) !== password) throw new AccessError('invalid', 'the two are not the same');
  return password;
}

/** More than any password has, and less than would hurt. */
const longestInput = 4_096;

async function readLine(stdin: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    if (chunk.includes('\n') || Buffer.concat(chunks).length > longestInput) break;
  }
  return Buffer.concat(chunks).toString('utf8').split(/\r?\n/, 1)[0]!;
}

function parse(argv: readonly string[]): Command | { fault: string } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        email: { type: 'string' },
        name: { type: 'string' },
        role: { type: 'string' },
        'password-stdin': { type: 'boolean', default: false },
        generate: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return { command: 'help' };
    return understood(positionals, values);
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

interface Flags {
  email?: string | undefined;
  name?: string | undefined;
  role?: string | undefined;
  'password-stdin': boolean;
  generate: boolean;
  json: boolean;
}

function understood([command, ...rest]: readonly string[], flags: Flags): Command | { fault: string } {
  const { email, name, role = 'admin', json } = flags;
  if (flags.generate && flags['password-stdin'])
    return { fault: '--generate and --password-stdin exclude each other.' };
  const password = flags.generate ? 'generated' : flags['password-stdin'] ? 'stdin' : 'terminal';
  const misplaced = misplacedFlag(command, flags);
  if (misplaced !== undefined) return { fault: `--${misplaced} does not belong to ${command ?? 'no command'}.` };
  switch (command) {
    case 'create':
      if (rest.length > 0) return { fault: 'Too many arguments. A password is never one of them.' };
      if (email === undefined) return { fault: 'create needs --email.' };
      if (!isRole(role)) return { fault: `There is no role ${role}: ${roles.join(', ')}.` };
      return { command, email, name, role, password };
    case 'list':
      return rest.length > 0 ? { fault: 'Too many arguments.' } : { command, json };
    case 'reset-password':
    case 'disable':
    case 'enable':
    case 'unlock': {
      const [who, ...more] = rest;
      if (who === undefined) return { fault: `${command} needs an email address.` };
      if (more.length > 0) return { fault: 'Too many arguments. A password is never one of them.' };
      return command === 'reset-password' ? { command, email: who, password } : { command, email: who };
    }
    default:
      return { fault: command ? `No such command: ${command}.` : 'Which command?' };
  }
}

const flagsOf: Readonly<Record<string, readonly (keyof Flags)[]>> = {
  create: ['email', 'name', 'role', 'password-stdin', 'generate'],
  'reset-password': ['password-stdin', 'generate'],
  list: ['json'],
};

function misplacedFlag(command: string | undefined, flags: Flags): keyof Flags | undefined {
  const allowed = flagsOf[command ?? ''] ?? [];
  return (Object.keys(flags) as (keyof Flags)[]).find((name) => Boolean(flags[name]) && !allowed.includes(name));
}

function isRole(text: string): text is Role {
  return (roles as readonly string[]).includes(text);
}
