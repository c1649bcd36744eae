import { checkConfigCli } from 'eyrie/alerts';
import { loadSettingsOrExit } from 'eyrie/config';
import { secretsSettings } from 'eyrie/secrets';

/** `npm run check-config`: what api and worker would make of a configuration. It needs no database. */
const { secrets } = loadSettingsOrExit({ secrets: secretsSettings });
const { stdout, stderr } = process;

process.exitCode = await checkConfigCli(process.argv.slice(2), { keys: secrets.encryptionKeys, stdout, stderr });
