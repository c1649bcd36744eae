// Runs inside of a replica (`docker exec -i … node --input-type=module - [SERVER_NAME] < smoke.mjs`): real requests whose
// answers must be right, because a program can be ready and yet answer every question with 500. They read and never write.
// With SERVER_NAME they go through Nginx, as a client's do. The operator's key is read where the program itself finds it, and
// is on no command line. Prints the version that answered; else throws, and the last line says what was wrong.
import { existsSync, readFileSync } from 'node:fs';
import { request as http } from 'node:http';
import { request as https } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

const [serverName] = process.argv.slice(2);
const { env } = process;
const keyFile = env.OPERATOR_KEY_FILE ?? `${env.SECRETS_DIR ?? '/run/secrets'}/operator_key`;
const key = existsSync(keyFile) ? readFileSync(keyFile, 'utf8').replace(/\n$/, '') : env.OPERATOR_KEY;
if (!key) throw new Error('there is no operator key (secrets/operator_key) to ask with');

try {
  await ask('/health/ready');
  const alerts = await ask('/api/v1/alerts?limit=1');
  if (alerts === null || typeof alerts !== 'object')
    throw new Error('/api/v1/alerts did not answer with a page of alerts');
  const status = await ask('/api/v2/status');
  if (!status?.config) throw new Error('/api/v2/status did not answer with a configuration');
  if (!serverName) process.stdout.write(`${(await ask('/monitoring/info'))?.version ?? 'unknown'}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** The JSON of a 200; everything else is an error that names the path. Where others use up the key's rate, it waits its turn. */
async function ask(path) {
  for (let tries = 40; ; tries--) {
    const { status, body } = await get(path);
    if (status === 429 && tries > 0) {
      await sleep(250);
      continue;
    }
    if (status !== 200) throw new Error(`GET ${path} answered ${status}`);
    try {
      return JSON.parse(body);
    } catch {
      throw new Error(`GET ${path} did not answer with JSON`);
    }
  }
}

function get(path) {
  // The certificate's name is not at stake here: the way is.
  const target = serverName
    ? { host: 'nginx', port: 8443, servername: serverName, rejectUnauthorized: false }
    : { host: '127.0.0.1', port: env.PORT ?? 3000 };
  const headers = { host: serverName ?? 'localhost', authorization: `Bearer ${key}`, accept: 'application/json' };
  return new Promise((resolve, reject) => {
    const fault = (text) => reject(new Error(`GET ${path} ${text}`));
    const options = { ...target, path, headers, timeout: 10_000, agent: false };
    const request = (serverName ? https : http)(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => (body += chunk));
      response.on('error', (error) => fault(error.message));
      response.on('end', () => resolve({ status: response.statusCode, body }));
    });
    request.on('timeout', () => request.destroy(new Error('was not answered within 10 s')));
    request.on('error', (error) => fault(error.message)).end();
  });
}
