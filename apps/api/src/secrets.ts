import { text } from 'node:stream/consumers';
import { changeSecrets, RECEIVER_SECRETS } from 'eyrie/alerts';
import { askSecret } from 'eyrie/auth';
import { loadSettingsOrExit } from 'eyrie/config';
import { secretsCli, secretsSettings } from 'eyrie/secrets';

/** `npm run secrets`: the secrets of receivers, encrypted at rest. It needs no database. */
const { secrets } = loadSettingsOrExit({ secrets: secretsSettings });
const { stdin, stdout, stderr } = process;

process.exitCode = await secretsCli(process.argv.slice(2), {
  keys: secrets.encryptionKeys,
  purpose: RECEIVER_SECRETS,
  changeSecrets,
  readValue: async () =>
    stdin.isTTY
      ? askSecret('The value: ', { input: stdin, output: stderr })
      : (await text(stdin)).replace(/\r?\n$/, ''),
  stdout,
  stderr,
});
