/** The product's own configuration of Prometheus and the witness with shorter times, so that a drill takes minutes. */
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';

const MONITORING = fileURLToPath(new URL('../../../monitoring/', import.meta.url));

/**
 * All that differs from what is shipped, as text replaced by text: nothing that says what is scraped, what a rule asks, or
 * who is told.
 */
const HURRY: readonly [file: RegExp, from: RegExp, to: string][] = [
  [/^prometheus\.yml$/, /(scrape_interval|evaluation_interval): \d+s/g, '$1: 2s'],
  [/^prometheus\.yml$/, /refresh_interval: 5s/g, 'refresh_interval: 1s'],
  [/^rules\//, /^( +)for: (?!0s)\w+$/gm, '$1for: 4s'],
  [/^rules\//, /^( +)interval: 1m$/gm, '$1interval: 4s'],
  [/^alertmanager\.yml$/, /(group_wait|group_interval): \w+/g, '$1: 1s'],
];

/** Copies monitoring/prometheus and monitoring/alertmanager into a folder, hurried. */
export async function hurry(into: string): Promise<{ prometheus: string; alertmanager: string; override: string }> {
  const [prometheus, alertmanager] = [join(into, 'prometheus'), join(into, 'alertmanager')];
  await cp(join(MONITORING, 'prometheus'), prometheus, { recursive: true });
  await cp(join(MONITORING, 'alertmanager'), alertmanager, { recursive: true });
  for (const folder of [prometheus, alertmanager]) {
    for (const file of (await readdir(folder, { recursive: true })).filter((name) =>
      /^(rules\/.*|[^/]*)\.ya?ml$/.test(name),
    )) {
      const text = await readFile(join(folder, file), 'utf8');
      const steps = HURRY.filter(([files]) => files.test(file));
      await writeFile(
        join(folder, file),
        steps.reduce((rest, [, from, to]) => rest.replace(from, to), text),
      );
    }
  }
  const override = join(into, 'override.yaml');
  await writeFile(override, stringify(await overrideFor(prometheus)));
  return { prometheus, alertmanager, override };
}

/** Prometheus with that configuration, and sending what fires more often than every minute. */
async function overrideFor(prometheus: string): Promise<object> {
  const { services } = parse(await readFile(join(MONITORING, 'compose.yaml'), 'utf8'), { merge: true }) as {
    services: { prometheus: { command: string[] } };
  };
  const command = [...services.prometheus.command, '--rules.alert.resend-delay=5s'];
  return { services: { prometheus: { command, volumes: [`${prometheus}:/etc/prometheus:ro`] } } };
}
