import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EncryptionKeys } from 'eyrie/secrets';
import { parseEscalations } from '../escalation/escalations-config.js';
import { AlertsConfigError, formatFault } from './fault.js';
import { changeSecrets, loadAlertsConfig, parseAlertsConfig, RECEIVER_SECRETS } from './load.js';

const FIXTURES = fileURLToPath(new URL('../../../../test/fixtures/alertmanager/', import.meta.url));
const SAMPLES = ['complete.yml', 'integrations.yml', 'minimal.yml', 'yaml.yml'];

const text = EncryptionKeys.generate('one');
const keys = EncryptionKeys.parse(text);
const encrypted = (value: string) => keys.encrypt(value, RECEIVER_SECRETS);
const encryptAll = (yaml: string) => changeSecrets(yaml, encrypted);
const decryptAll = (yaml: string) => changeSecrets(yaml, (value) => keys.decrypt(value, RECEIVER_SECRETS));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyrie-encrypted-'));
  await cp(FIXTURES, folder, { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

function faultsOf(yaml: string, withKeys: EncryptionKeys | undefined = keys): string[] {
  try {
    parseAlertsConfig(yaml, { baseDirectory: folder, ...(withKeys && { keys: withKeys }) });
    return [];
  } catch (error) {
    if (error instanceof AlertsConfigError) return error.faults.map(formatFault);
    throw error;
  }
}

const withToken = (credentials: string) => `route: { receiver: a }
receivers:
  - name: a
    webhook_configs:
      - url: http://hook.test/
        http_config: { authorization: { credentials: ${credentials} } }
`;

describe('a configuration with encrypted secrets', () => {
  it('I4: means what the plain one means, and is shown alike', async () => {
    for (const name of SAMPLES) {
      const plain = await loadAlertsConfig(join(FIXTURES, name));
      const yaml = await readFile(join(FIXTURES, name), 'utf8');
      await writeFile(join(folder, name), encryptAll(yaml));
      const config = await loadAlertsConfig(join(folder, name), keys);
      expect([name, config.hash]).toEqual([name, plain.hash]);
      expect(config.original.replaceAll(/["']/g, '')).toBe(plain.original.replaceAll(/["']/g, ''));
    }
    const planted = /planted-(?:url|header|basic|bearer|smtp)/;
    expect(await readFile(join(FIXTURES, 'complete.yml'), 'utf8')).toMatch(planted);
    expect(await readFile(join(folder, 'complete.yml'), 'utf8')).not.toMatch(planted);
  });

  it('I4: keeps comments, order and spaces, and can be made plain again', async () => {
    for (const name of SAMPLES) {
      const yaml = await readFile(join(FIXTURES, name), 'utf8');
      const spared = (one: string) =>
        one.replaceAll(/"?https:\/\/encrypted\.invalid\/enc:v1:one:[\w-]+"?|"enc:v1:one:[\w-]+"/g, '<secret>');
      let index = 0;
      const values: string[] = [];
      changeSecrets(yaml, (value) => (values.push(value), value));
      const marked = changeSecrets(yaml, () => `secret ${index++}`);
      // What the secrets themselves were written as is all that has changed.
      const around = marked.split(/"secret \d+"/);
      let position = 0;
      for (const part of around) {
        const at = yaml.indexOf(part, position);
        expect([name, part, at >= position]).toEqual([name, part, true]);
        position = at + part.length;
      }
      expect(spared(encryptAll(yaml)).split('<secret>')).toEqual(around);
      const back: string[] = [];
      changeSecrets(decryptAll(encryptAll(yaml)), (value) => (back.push(value), value));
      expect(back).toEqual(values);
    }
  });

  it('I4: in whatever form a secret is written', () => {
    const secret = 'a"b\\c: #d';
    const forms = [
      `'a"b\\c: #d' # plain`,
      `"a\\"b\\\\c: #d"`,
      `!!str 'a"b\\c: #d'`,
      `&anchor 'a"b\\c: #d'`,
      `|-\n              a"b\\c: #d\n`,
      `>\n              a"b\\c: #d\n              and more\n`,
    ];
    for (const form of forms) {
      const yaml = `route: { receiver: a }\r\nreceivers:\n  - name: a\n    webhook_configs:\n      - url: http://hook.test/\n        http_config:\n          basic_auth:\n            username: u\n            password: ${form}\n            # after it\n`;
      const sealed = encryptAll(yaml);
      expect(faultsOf(sealed)).toEqual([]);
      expect(sealed).not.toContain('a"b');
      expect(sealed).toContain('            # after it\n');
      const found: string[] = [];
      changeSecrets(sealed, (value) => (found.push(keys.decrypt(value, RECEIVER_SECRETS)), value));
      expect(found).toContain(form.startsWith('>') ? `${secret} and more\n` : secret);
    }
  });

  it('I4: an anchor is encrypted once, for all who refer to it', () => {
    const yaml = `route: { receiver: a }
receivers:
  - name: a
    webhook_configs:
      - { url: &hook http://hook.test/x }
      - { url: *hook }
`;
    const sealed = encryptAll(yaml);
    expect(sealed.match(/enc:v1/g)).toHaveLength(1);
    const { receivers } = parseAlertsConfig(sealed, { baseDirectory: folder, keys });
    expect(receivers.get('a')!.integrations.map((one) => one.type === 'webhook' && one.url.reveal())).toEqual([
      'http://hook.test/x',
      'http://hook.test/x',
    ]);
  });

  it('I4: the files that it names may be encrypted, too', async () => {
    const plain = await loadAlertsConfig(join(FIXTURES, 'complete.yml'));
    for (const name of await readdir(join(FIXTURES, 'secrets'))) {
      const content = await readFile(join(FIXTURES, 'secrets', name), 'utf8');
      await writeFile(join(folder, 'secrets', name), `${encrypted(content.trim())}\n`);
    }
    expect((await loadAlertsConfig(join(folder, 'complete.yml'), keys)).hash).toBe(plain.hash);
    await expect(
      loadAlertsConfig(join(folder, 'complete.yml'), EncryptionKeys.parse(`${text.replace('one', 'two')}`)),
    ).rejects.toThrow(/complete\.yml:\d+:\d+ .*what secrets\/\S+ holds is encrypted with the key "one"/);
  });

  it('I4: what cannot be decrypted is a fault with its place, and is not shown', () => {
    const good = encrypted('hunter2');
    const other = EncryptionKeys.parse(EncryptionKeys.generate('two'));
    const place = '6:54 receivers[0].webhook_configs[0].http_config.authorization.credentials';
    const altered = `${good.slice(0, -6)}AAAAAA`;
    expect(faultsOf(withToken(good))).toEqual([]);
    expect(faultsOf(withToken(good), other)).toEqual([
      `${place}: the value is encrypted with the key "one", which ENCRYPTION_KEYS does not have`,
    ]);
    expect(faultsOf(withToken(altered))).toEqual([
      `${place}: the value cannot be decrypted: it was altered, or encrypted with another key than the "one" of ENCRYPTION_KEYS`,
    ]);
    expect(faultsOf(withToken('enc:v1:one'))).toEqual([
      `${place}: the value is not a whole encrypted value: enc:v1:<key id>:<data>`,
    ]);
    expect(faultsOf(withToken(keys.encrypt('hunter2', 'sessions')))).toHaveLength(1);
    expect(() => parseAlertsConfig(withToken(good), { baseDirectory: folder })).toThrow(
      'the value is encrypted, and ENCRYPTION_KEYS is not set',
    );
  });

  it('I4: only what nobody gets to see may be encrypted', () => {
    const value = encrypted('a');
    expect(faultsOf(`route: { receiver: a }\nreceivers: [{ name: '${value}' }, { name: a }]`)).toEqual([
      expect.stringMatching(/^2:\d+ receivers\[0\]\.name: only what Alertmanager takes for a secret may be encrypted/),
    ]);
    const escalations = `escalations: [{ name: a, steps: [{ after: 1m, receiver: '${value}' }] }]`;
    expect(() => parseEscalations(escalations, new Map())).toThrow('may be encrypted');
  });

  it('I4: a file with faults is not rewritten: a secret of it might be missed', () => {
    expect(() => encryptAll(withToken('hunter2').replace('credentials', 'kredentials'))).toThrow('unknown field');
    expect(() => encryptAll('just text')).toThrow('expected a mapping');
  });
});
