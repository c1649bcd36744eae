import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EncryptionKeys } from 'eyrie/secrets';
import { checkConfigCli } from './check-config-cli.js';
import { RECEIVER_SECRETS } from './config/index.js';

const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/alertmanager/', import.meta.url));

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'eyrie-check-'))));
afterAll(() => rm(folder, { recursive: true }));

async function run(args: string[], keys?: EncryptionKeys) {
  let [out, err] = ['', ''];
  const status = await checkConfigCli(args, {
    keys,
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { status, out, err };
}

describe('check-config', () => {
  it('H4: tells how much a file holds', async () => {
    const file = join(FIXTURES, 'integrations.yml');
    expect(await run([file])).toEqual({
      status: 0,
      out: `${file}: 4 routes, 4 receivers with 10 integrations, 0 inhibit rules, 0 time intervals\n`,
      err: '',
    });
  });

  it('H4: tells every fault with its place, and what is not supported by name', async () => {
    const file = join(FIXTURES, 'refused', 'unsupported.yml');
    const { status, out, err } = await run([file]);
    expect([status, out]).toEqual([78, '']);
    expect(err).toContain(`${file}:11:5 receivers[0].discord_configs: not supported yet: discord_configs\n`);
    expect(err.split('\n').length).toBeGreaterThan(15);
  });

  it('H6: reads escalations with the receivers of the file', async () => {
    const [config, escalations] = [join(FIXTURES, 'minimal.yml'), join(folder, 'escalations.yml')];
    await writeFile(escalations, 'escalations: [{ name: all, steps: [{ after: 1m, receiver: nobody }] }]');
    expect(await run([config, escalations])).toMatchObject({
      status: 78,
      err: expect.stringContaining('undefined receiver'),
    });
    await writeFile(escalations, 'escalations: []');
    expect(await run([config, escalations])).toMatchObject({
      status: 0,
      out: expect.stringContaining(`${escalations}: 0 escalations\n`),
    });
  });

  it('I4: decrypts with the keys of the settings', async () => {
    const keys = EncryptionKeys.parse(EncryptionKeys.generate('one'));
    const file = join(folder, 'encrypted.yml');
    const url = `https://encrypted.invalid/${keys.encrypt('http://hook.test/', RECEIVER_SECRETS)}`;
    await writeFile(file, `route: { receiver: a }\nreceivers: [{ name: a, webhook_configs: [{ url: '${url}' }] }]`);
    expect((await run([file], keys)).status).toBe(0);
    expect(await run([file])).toMatchObject({ status: 78, err: expect.stringContaining('ENCRYPTION_KEYS is not set') });
  });

  it('H4: wants a file', async () => {
    expect(await run([])).toMatchObject({ status: 64, err: expect.stringContaining('Usage:') });
    expect(await run(['a', 'b', 'c'])).toMatchObject({ status: 64 });
    expect(await run(['--help'])).toMatchObject({ status: 0, out: expect.stringContaining('Usage:') });
  });
});
