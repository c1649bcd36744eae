import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EncryptionKeys } from './encryption-keys.js';
import { FileFaultsError } from './rotation.js';
import { type ChangeSecrets, secretsCli } from './secrets-cli.js';

const [one, two] = [EncryptionKeys.generate('one'), EncryptionKeys.generate('two')];
const purpose = 'receivers';

/** A format of one secret a line, as `secret=…`; `fault` stands for what cannot be read. */
const changeSecrets: ChangeSecrets = (text, change) => {
  if (text.includes('fault')) throw new FileFaultsError([{ line: 2, column: 1, message: 'not understood' }]);
  return text.replaceAll(/(?<=^secret=).*$/gm, (value) => change(value));
};

let folder: string;
let file: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'eyrie-secrets-'))));
beforeEach(() => void (file = join(folder, 'config')));
afterEach(async () => {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

async function run(keys: string | undefined, args: string[], typed = '') {
  let [out, err] = ['', ''];
  const status = await secretsCli(args, {
    keys: keys === undefined ? undefined : EncryptionKeys.parse(keys),
    purpose,
    changeSecrets,
    readValue: () => Promise.resolve(typed),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { status, out, err };
}

describe('the secrets command', () => {
  it('I4: makes a key', async () => {
    const { status, out } = await run(undefined, ['key', '2026-11']);
    expect(status).toBe(0);
    expect(EncryptionKeys.parse(out.trim()).ids).toEqual(['2026-11']);
    expect(EncryptionKeys.parse((await run(undefined, ['key'])).out.trim()).ids).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    ]);
  });

  it('I4: encrypts a value, that of a URL as a URL, and decrypts it', async () => {
    for (const [value, form] of [
      ['hunter2', /^enc:v1:one:[\w-]+\n$/],
      ['https://hook.test/x', /^https:\/\/encrypted\.invalid\/enc:v1:one:[\w-]+\n$/],
    ] as const) {
      const encrypted = await run(one, ['encrypt'], value);
      expect(encrypted).toMatchObject({ status: 0, out: expect.stringMatching(form), err: '' });
      expect(await run(`${two},${one}`, ['decrypt'], encrypted.out)).toEqual({ status: 0, out: `${value}\n`, err: '' });
    }
  });

  it('I4: encrypts what of a file is not, rotates it, and tells of the keys that it needs', async () => {
    await writeFile(file, '# mine\nsecret=hunter2\nuser=ann\nsecret=https://hook.test/x');
    expect(await run(one, ['list', file])).toMatchObject({ out: `${file}: 2 values in plain text\n` });
    expect(await run(one, ['encrypt', file])).toEqual({
      status: 0,
      out: `${file}: 2 values encrypted with one\n`,
      err: '',
    });
    const encrypted = await readFile(file, 'utf8');
    expect(encrypted).toMatch(
      /^# mine\nsecret=enc:v1:one:[\w-]+\nuser=ann\nsecret=https:\/\/encrypted\.invalid\/enc:v1:one:[\w-]+$/,
    );
    expect(await run(one, ['encrypt', file])).toMatchObject({ out: `${file}: 0 values encrypted with one\n` });
    expect(await readFile(file, 'utf8')).toBe(encrypted);

    const both = `${two},${one}`;
    const listed = async (keys: string | undefined) => (await run(keys, ['list', file])).out;
    expect(await listed(both)).toBe(`${file}: 2 values with one, an old key: rotate the file before you remove it\n`);
    expect(await run(both, ['rotate', file])).toMatchObject({ out: `${file}: 2 values encrypted anew with two\n` });
    expect(await listed(both)).toBe(`${file}: 2 values with two, which encrypts\n`);
    expect(await listed(undefined)).toBe(`${file}: 2 values with two, which ENCRYPTION_KEYS does not have\n`);
    expect((await run(two, ['decrypt', file])).out).toBe(
      '# mine\nsecret=hunter2\nuser=ann\nsecret=https://hook.test/x',
    );
    expect(await readFile(file, 'utf8')).not.toContain('hunter2');
  });

  it('I4: keeps the mode of a file, and a link to it', async () => {
    await writeFile(file, 'secret=hunter2');
    await chmod(file, 0o640);
    await symlink(file, join(folder, 'link'));
    expect(await run(one, ['encrypt', join(folder, 'link')])).toMatchObject({ status: 0 });
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect((await lstat(join(folder, 'link'))).isSymbolicLink()).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['config', 'link']);
  });

  it('I4: leaves a file as it is when something in it is wrong, and says where', async () => {
    const other = EncryptionKeys.parse(two).encrypt('hunter2', purpose);
    await writeFile(file, `secret=${EncryptionKeys.parse(one).encrypt('x', purpose)}\n  secret=${other}\n`);
    const before = await readFile(file);
    expect(await run(EncryptionKeys.generate('three'), ['rotate', file])).toEqual({
      status: 1,
      out: '',
      err: [
        `${file}:1:8: the value is encrypted with the key "one", which ENCRYPTION_KEYS does not have`,
        `${file}:2:10: the value is encrypted with the key "two", which ENCRYPTION_KEYS does not have\n`,
      ].join('\n'),
    });
    expect(await readFile(file)).toEqual(before);
    await writeFile(file, 'a\nfault');
    expect(await run(one, ['encrypt', file])).toEqual({ status: 1, out: '', err: `${file}:2:1: not understood\n` });
    await writeFile(file, Buffer.from([0x73, 0xff]));
    expect((await run(one, ['rotate', file])).err).toContain('is not a text in UTF-8');
    expect((await run(one, ['rotate', join(folder, 'missing')])).err).toContain('cannot be read');
    expect(await readdir(folder)).toEqual(['config']);
  });

  it('I4: says what is missing', async () => {
    await writeFile(file, 'secret=x');
    for (const args of [['encrypt'], ['encrypt', file], ['rotate', file], ['decrypt'], ['decrypt', file]]) {
      expect(await run(undefined, args, 'value')).toMatchObject({
        status: 1,
        err: expect.stringContaining('ENCRYPTION_KEYS is not set'),
      });
    }
    expect(await run(one, ['encrypt'])).toMatchObject({ status: 1, err: expect.stringContaining('no value') });
    expect(await run(one, ['encrypt'], 'enc:v1:one:AAAA')).toMatchObject({
      status: 1,
      err: expect.stringContaining('already'),
    });
    expect(await run(one, ['decrypt'], 'hunter2')).toMatchObject({
      status: 1,
      err: expect.stringContaining('not a whole'),
    });
    for (const args of [[], ['what'], ['rotate'], ['list'], ['key', 'a', 'b'], ['encrypt', '--strange']]) {
      expect(await run(one, args)).toMatchObject({ status: 64, out: '', err: expect.stringContaining('Usage:') });
    }
    expect(await run(one, ['--help'])).toMatchObject({ status: 0, out: expect.stringContaining('Usage:') });
  });
});
