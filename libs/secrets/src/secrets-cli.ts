import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { EncryptionKeys, UndecryptableError } from './encryption-keys.js';
import { findEncrypted, isEncrypted, writtenFor } from './encrypted-value.js';
import { replaceFile } from './replace-file.js';
import { type FileFault, type FileFaultsError, rotate } from './rotation.js';

const usage = `Usage:
  npm run -s secrets -- key [ID]            a new key for ENCRYPTION_KEYS
  npm run -s secrets -- encrypt             the value on stdin, encrypted
  npm run -s secrets -- encrypt FILE…       every secret of a configuration that is not yet, in place
  npm run -s secrets -- rotate FILE…        what other keys have encrypted, with the first key, in place
  npm run -s secrets -- list FILE…          which keys each file needs
  npm run -s secrets -- decrypt             the encrypted value on stdin, in plain text
  npm run -s secrets -- decrypt FILE        a configuration with its secrets in plain text, on stdout
In an image: eyrie secrets …
`;

const EX_USAGE = 64;

/** Calls `change` with each secret of a configuration and answers the text in which what it returned stands instead. */
export type ChangeSecrets = (text: string, change: (value: string) => string) => string;

export interface SecretsCliOptions {
  /** Those of the settings, if there are any. */
  keys: EncryptionKeys | undefined;
  /** What the values are for: see {@link EncryptionKeys}. */
  purpose: string;
  /** Knows the format of the files. Throws an Error with `faults` for one that it cannot read. */
  changeSecrets: ChangeSecrets;
  /** The value that a person types or pipes in. */
  readValue: () => Promise<string>;
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

/** Nothing was done; the message says why. */
class RefusedError extends Error {}

/** The commands by which a person handles encrypted secrets. Returns the exit status: 0, 1 if it cannot be done, 64 if not understood. */
export async function secretsCli(argv: readonly string[], options: SecretsCliOptions): Promise<number> {
  const { stdout, stderr } = options;
  const asked = parse(argv);
  if ('fault' in asked) {
    stderr.write(`${asked.fault}\n\n${usage}`);
    return EX_USAGE;
  }
  try {
    stdout.write(await run(asked, options));
    return 0;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    stderr.write(`${error.message}\n`);
    return 1;
  }
}

const commands = ['key', 'encrypt', 'rotate', 'list', 'decrypt'] as const;

interface Command {
  command: (typeof commands)[number] | 'help';
  names: string[];
}

function parse(argv: readonly string[]): Command | { fault: string } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h', default: false } },
    });
    const [name, ...names] = positionals;
    if (values.help) return { command: 'help', names: [] };
    const command = commands.find((each) => each === name);
    if (!command) return { fault: name ? `No such command: ${name}.` : 'Which command?' };
    if (names.length === 0 && (command === 'rotate' || command === 'list'))
      return { fault: `${command} needs a file.` };
    if (names.length > 1 && (command === 'key' || command === 'decrypt')) return { fault: 'Too many arguments.' };
    return { command, names };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

async function run({ command, names }: Command, options: SecretsCliOptions): Promise<string> {
  const [name] = names;
  switch (command) {
    case 'help':
      return usage;
    case 'key':
      return `${newKey(name)}\n`;
    case 'encrypt':
      return name === undefined
        ? encryptValue(options)
        : eachFile(names, options, (file) => encryptFile(file, options));
    case 'decrypt':
      return name === undefined ? decryptValue(options) : decryptFile(name, options);
    case 'rotate':
      return eachFile(names, options, (file) => rotateFile(file, options));
    case 'list':
      return eachFile(names, options, (file) => listFile(file, options));
  }
}

/** One after the other, each told when it is done: the next one may be refused. */
async function eachFile(
  files: readonly string[],
  { stdout }: SecretsCliOptions,
  work: (file: string) => Promise<string>,
): Promise<string> {
  for (const file of files) stdout.write(await work(file));
  return '';
}

function newKey(id = new Date().toISOString().slice(0, 10)): string {
  try {
    return EncryptionKeys.generate(id);
  } catch (error) {
    throw new RefusedError((error as Error).message);
  }
}

async function encryptValue({ keys, purpose, readValue }: SecretsCliOptions): Promise<string> {
  const value = await readValue();
  if (value === '') throw new RefusedError('There is no value on stdin.');
  if (isEncrypted(value)) throw new RefusedError('The value is encrypted already.');
  return `${seal(required(keys), value, purpose)}\n`;
}

async function decryptValue({ keys, purpose, readValue }: SecretsCliOptions): Promise<string> {
  try {
    return `${required(keys).decrypt((await readValue()).trim(), purpose)}\n`;
  } catch (error) {
    if (!(error instanceof UndecryptableError)) throw error;
    throw new RefusedError(`The value ${error.message}`);
  }
}

async function encryptFile(file: string, { keys, purpose, changeSecrets }: SecretsCliOptions): Promise<string> {
  const usable = required(keys);
  const text = await read(file);
  let count = 0;
  const changed = faultsOf(file, () =>
    changeSecrets(text, (value) => {
      if (isEncrypted(value)) return value;
      count++;
      return seal(usable, value, purpose);
    }),
  );
  if (count > 0) await write(file, changed);
  return `${file}: ${values(count)} encrypted with ${usable.ids[0]}\n`;
}

async function decryptFile(file: string, { keys, purpose, changeSecrets }: SecretsCliOptions): Promise<string> {
  const usable = required(keys);
  const text = await read(file);
  return faultsOf(file, () =>
    changeSecrets(text, (value) => (isEncrypted(value) ? usable.decrypt(value, purpose) : value)),
  );
}

async function rotateFile(file: string, { keys, purpose }: SecretsCliOptions): Promise<string> {
  const usable = required(keys);
  const text = await read(file);
  const { text: changed, rotated } = faultsOf(file, () => rotate(text, usable, purpose));
  if (rotated > 0) await write(file, changed);
  return `${file}: ${values(rotated)} encrypted anew with ${usable.ids[0]}\n`;
}

async function listFile(file: string, { keys, changeSecrets }: SecretsCliOptions): Promise<string> {
  const text = await read(file);
  const found = Map.groupBy(findEncrypted(text), ({ keyId }) => keyId);
  const lines = [...found].map(([id, { length }]) => `${file}: ${values(length)} ${standing(id, keys)}\n`);
  let plain = 0;
  try {
    changeSecrets(text, (value) => {
      if (!isEncrypted(value)) plain++;
      return value;
    });
  } catch {
    // A file with one secret, or one with faults: only the encrypted values of it are known.
  }
  if (plain > 0) lines.push(`${file}: ${values(plain)} in plain text\n`);
  return lines.join('') || `${file}: no encrypted values\n`;
}

function standing(id: string, keys: EncryptionKeys | undefined): string {
  if (keys?.ids[0] === id) return `with ${id}, which encrypts`;
  if (keys?.ids.includes(id)) return `with ${id}, an old key: rotate the file before you remove it`;
  return `with ${id}, which ENCRYPTION_KEYS does not have`;
}

function values(count: number): string {
  return count === 1 ? '1 value' : `${count} values`;
}

function seal(keys: EncryptionKeys, value: string, purpose: string): string {
  return writtenFor(value, keys.encrypt(value, purpose));
}

function required(keys: EncryptionKeys | undefined): EncryptionKeys {
  if (keys) return keys;
  throw new RefusedError('ENCRYPTION_KEYS is not set. "npm run -s secrets -- key" makes a key.');
}

async function read(file: string): Promise<string> {
  const content = await readFile(file).catch((error: Error) => {
    throw new RefusedError(`${file} cannot be read: ${error.message}`);
  });
  if (!isUtf8(content)) throw new RefusedError(`${file} is not a text in UTF-8`);
  return content.toString('utf8');
}

async function write(file: string, text: string): Promise<void> {
  await replaceFile(file, text).catch((error: Error) => {
    throw new RefusedError(`${file} was left as it is: ${error.message}`);
  });
}

/** What is wrong in a file with its name before each line, as compilers tell it. */
function faultsOf<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const faults = (error as Partial<FileFaultsError>).faults;
    if (!faults) throw error;
    const line = (fault: FileFault) => `${file}:${fault.line}:${fault.column}: ${fault.message}`;
    throw new RefusedError(faults.map(line).join('\n'));
  }
}
