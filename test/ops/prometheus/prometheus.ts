/**
 * The whole way with a real Prometheus: a rule fires, its alert comes in through Alertmanager's API with a key from a
 * file, and is delivered to a webhook and by mail; the rule stops firing, and the resolution reaches both.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findLauncher } from '../../harness/alertmanager.ts';
import { DatabaseServer } from '../../harness/database-server.ts';
import { type Cleanup, freePort, openFolder } from '../../harness/processes.ts';
import { startProduct } from '../../harness/product.ts';
import type { CheckResult } from '../checks.ts';
import { Inbox } from './inbox.ts';
import { MetricSource } from './metric-source.ts';
import { WebhookRecorder } from './webhook-recorder.ts';

const LIMIT_MS = 45_000;
const CHECKS = 5;
const RULE = 'QueueStalled';

export async function prometheus(cleanup: Cleanup): Promise<CheckResult[]> {
  const launcher = await findLauncher('prometheus', '2.42', 'prom/prometheus:v3.5.3');
  if (!launcher) throw new Error('no Prometheus: neither on the PATH nor prom/prometheus:v3.5.3 in a Docker engine');
  const directory = await openFolder('prometheus');
  const results: CheckResult[] = [];
  cleanup.add('its folder', async () => {
    const passed = results.length === CHECKS && results.every(({ faults }) => faults.length === 0);
    if (passed) await rm(directory, { recursive: true });
    else process.stdout.write(`logs: ${directory}\n`);
  });

  const [metric, webhook, inbox] = [new MetricSource(), new WebhookRecorder(), new Inbox()];
  const [metricPort, webhookPort, smtpPort] = await Promise.all([metric.listen(), webhook.listen(), inbox.listen()]);
  for (const server of [metric, webhook, inbox]) cleanup.add('a local server', () => server.close());

  const alertsConfig = join(directory, 'alertmanager.yml');
  await writeFile(alertsConfig, routesTo(webhookPort, smtpPort));
  const database = await DatabaseServer.start(join(directory, 'postgres'));
  cleanup.add('PostgreSQL', () => database.stop());
  const product = await startProduct({ name: 'eyrie', databaseUrl: database.url, alertsConfig, directory }, cleanup);

  const url = `http://127.0.0.1:${await freePort()}`;
  const configFile = await writePrometheusConfig(join(directory, 'prometheus'), {
    metricPort,
    apiHost: new URL(product.apis[0]!.url).host,
    key: product.ingestKey,
  });
  const program = launcher.program({
    name: 'prometheus',
    args: [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=/tmp/eyrie-prometheus-${process.pid}`,
      `--web.listen-address=${new URL(url).host}`,
      '--log.level=warn',
    ],
    configFile,
    logDirectory: directory,
    readyUrl: `${url}/-/ready`,
  });
  cleanup.add('prometheus', () => launcher.end(program));
  await program.start();
  process.stdout.write(`Prometheus ${launcher.version}\n`);

  const expect = async (name: string, found: () => boolean) => {
    const started = Date.now();
    while (!found() && Date.now() - started < LIMIT_MS) await sleep(50);
    const fault = `not within ${LIMIT_MS} ms; webhooks ${webhook.told(RULE).join(', ') || 'none'}; mails ${inbox.subjects.join(', ') || 'none'}`;
    results.push({ name, faults: found() ? [] : [`${fault}\n${program.logTail(5)}`] });
    return Date.now() - started;
  };

  metric.value = 1;
  const firedMs = await expect('the webhook is told that the rule fires', () => webhook.told(RULE).includes('firing'));
  await expect('the mail says so too', () =>
    inbox.subjects.some((subject) => /FIRING/.test(subject) && subject.includes(RULE)),
  );
  metric.value = 0;
  const resolvedMs = await expect('the webhook is told the resolution', () => webhook.told(RULE).includes('resolved'));
  await expect('the mail says so too: resolved', () =>
    inbox.subjects.some((subject) => /RESOLVED/.test(subject) && subject.includes(RULE)),
  );
  const told = webhook.told(RULE);
  const once = told.length === 2 ? [] : [`it was told ${told.length} times: ${told.join(', ')}`];
  results.push({ name: 'each is told once', faults: once });
  process.stdout.write(
    `fault to webhook ${firedMs} ms, recovery to webhook ${resolvedMs} ms (scrape, rule and group intervals included)\n`,
  );
  return results;
}

function routesTo(webhookPort: number, smtpPort: number): string {
  return `global:
  smtp_smarthost: '127.0.0.1:${smtpPort}'
  smtp_from: 'eyrie@example.com'
  smtp_require_tls: false
route: { receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers:
  - name: team
    webhook_configs: [{ url: 'http://127.0.0.1:${webhookPort}/' }]
    email_configs: [{ to: 'team@example.com', send_resolved: true }]
`;
}

async function writePrometheusConfig(
  folder: string,
  { metricPort, apiHost, key }: { metricPort: number; apiHost: string; key: string },
): Promise<string> {
  await mkdir(folder, { mode: 0o755 });
  const file = join(folder, 'prometheus.yml');
  await writeFile(join(folder, 'ingest-key'), key, { mode: 0o644 });
  await writeFile(
    join(folder, 'rules.yml'),
    `groups:
  - name: queue
    interval: 1s
    rules:
      - alert: ${RULE}
        expr: queue_stalled == 1
        labels: { severity: critical }
        annotations: { summary: 'Nothing leaves the queue of {{ $labels.instance }}' }
`,
  );
  await writeFile(
    file,
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
scrape_configs:
  - job_name: queue
    static_configs: [{ targets: ['127.0.0.1:${metricPort}'] }]
alerting:
  alertmanagers:
    - static_configs: [{ targets: ['${apiHost}'] }]
      authorization: { credentials_file: ingest-key }
`,
  );
  return file;
}
