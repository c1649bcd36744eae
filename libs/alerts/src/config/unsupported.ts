/**
 * What Alertmanager 0.33 knows and Eyrie does not yet, by the block it stands in: refused by name, never ignored.
 */
export const TOP_LEVEL = ['event_recorder', 'tracing'];

const INTEGRATIONS = [
  ...['discord', 'incidentio', 'jira', 'mattermost', 'msteams', 'msteamsv2', 'opsgenie', 'pushover'],
  ...['rocketchat', 'sns', 'telegram', 'victorops', 'webex', 'wechat'],
];

export const RECEIVER = INTEGRATIONS.map((name) => `${name}_configs`);

export const GLOBAL = [
  ...['smtp_auth_secret', 'smtp_auth_secret_file', 'smtp_force_implicit_tls'],
  ...['opsgenie_api_url', 'opsgenie_api_key', 'opsgenie_api_key_file', 'jira_api_url'],
  ...['victorops_api_url', 'victorops_api_key', 'victorops_api_key_file', 'webex_api_url'],
  ...['wechat_api_url', 'wechat_api_secret', 'wechat_api_secret_file', 'wechat_api_corp_id'],
  ...['telegram_api_url', 'telegram_bot_token', 'telegram_bot_token_file'],
  ...['rocketchat_api_url', 'rocketchat_token', 'rocketchat_token_file'],
  ...['rocketchat_token_id', 'rocketchat_token_id_file'],
  ...['mattermost_webhook_url', 'mattermost_webhook_url_file'],
];

export const HTTP = ['oauth2', 'proxy_url', 'no_proxy', 'proxy_from_environment', 'proxy_connect_header'];
export const AUTHORIZATION = ['credentials_ref'];
export const BASIC_AUTH = ['username_ref', 'password_ref'];
export const TLS = ['ca_ref', 'cert_ref', 'key_ref', 'min_version', 'max_version'];
export const WEBHOOK = ['payload'];
export const EMAIL = ['auth_secret', 'auth_secret_file', 'force_implicit_tls', 'threading'];
