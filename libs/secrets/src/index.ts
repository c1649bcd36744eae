export { EncryptionKeys, UndecryptableError } from './encryption-keys.js';
export { isEncrypted } from './encrypted-value.js';
export { type FileFault, FileFaultsError } from './rotation.js';
export { secretsSettings, type SecretsSettings } from './secrets.config.js';
export { type ChangeSecrets, secretsCli, type SecretsCliOptions } from './secrets-cli.js';
