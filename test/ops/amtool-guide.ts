import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EncryptionKeys } from 'eyrie/secrets';
import { startAlertmanager } from '../harness/alertmanager.js';
import { keys, testApi, type TestApi } from '../harness/api.js';
import { Cleanup } from '../harness/processes.js';
import { Receiver } from '../harness/receiver.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FIXTURES = join(ROOT, 'test/fixtures/alertmanager');
const PROMETHEUS = 'prom/prometheus:v3.5.3';

const configFor = (receiverUrl: string) => `route: { receiver: everybody }
receivers:
  - name: everybody
  - { name: database-pager, webhook_configs: [{ url: '${receiverUrl}/' }] }
`;

/** A block of code in a page of docs/. */
interface Block {
  readonly language: string;
  readonly code: string;
}

async function blocksOf(page: string): Promise<Block[]> {
  const text = await readFile(join(ROOT, 'docs', page), 'utf8');
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, code]) => ({
    language: language!,
    code: code!,
  }));
}

/**
 * docs/alertmanager.md and docs/secrets.md as a reader would follow them: every command of every block runs, in this order,
 * between a real Alertmanager and our api, and none fails.
 */
export function guideInPractice(image: string): void {
  describe('the guide from Alertmanager to the hub and back', () => {
    const cleanup = new Cleanup();
    let api: TestApi;
    let alertmanager: string;
    let folder: string;
    let env: Record<string, string>;
    let blocks: Block[];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'eyrie-guide-'));
      cleanup.add('the folder', () => rm(folder, { recursive: true }));
      await cp(join(FIXTURES, 'complete.yml'), join(folder, 'alertmanager.yml'));
      await cp(join(FIXTURES, 'secrets'), join(folder, 'secrets'), { recursive: true });
      const receiver = await Receiver.start();
      cleanup.add('the receiver', () => receiver.close());
      const config = configFor(receiver.url);
      await writeFile(join(folder, 'running.yml'), config);
      await chmod(folder, 0o755);
      const started = await startAlertmanager(
        { configFile: join(folder, 'running.yml'), logDirectory: folder },
        cleanup,
      );
      alertmanager = started!.url;
      api = await testApi({ config, worker: true, env: { NOTIFY_ALLOW_PRIVATE: '127.0.0.0/8' } });
      cleanup.add('the hub', () => api.close());
      blocks = await blocksOf('alertmanager.md');
      await prepare();
    }, 120_000);
    afterAll(() => cleanup.run());

    /** amtool from the image and `npm run` of this workspace on the PATH, and the files that the guide lets amtool read. */
    async function prepare(): Promise<void> {
      const [bin, home] = [join(folder, 'bin'), join(folder, 'home')];
      await mkdir(bin);
      const docker = `docker run --rm -i --network host --user 0 -e HOME=${home} -v ${folder}:${folder} -w "$PWD" --entrypoint amtool`;
      await writeFile(join(bin, 'amtool'), `#!/bin/sh\nexec ${docker} ${image} "$@"\n`);
      // npm run changes into the workspace, where this folder's files are not.
      const npm = `[ "$1 $2" = 'run -s' ] && [ "$4" = -- ] || exit 64\nname=$3\nshift 4\n`;
      await writeFile(join(bin, 'npm'), `#!/bin/sh\n${npm}exec node ${ROOT}dist/apps/api/src/$name.js "$@"\n`);
      for (const program of ['amtool', 'npm']) await chmod(join(bin, program), 0o755);

      const configured = (comment: string) => blocks.find(({ code }) => code.startsWith(`# ${comment}\n`))!.code;
      const local = (code: string) => inPractice(code).replaceAll('/etc/amtool', home);
      for (const path of ['amtool/config.yml', 'prometheus/amtool.yml']) {
        await mkdir(join(home, '.config', path, '..'), { recursive: true });
        await writeFile(join(home, '.config', path), local(configured("amtool's configuration")));
      }
      await writeFile(join(home, 'eyrie.yml'), local(configured('/etc/amtool/eyrie.yml')));
      await writeFile(join(home, 'eyrie.key'), keys.operator);
      env = {
        PATH: `${bin}:${process.env.PATH}`,
        HOME: home,
        KEY: keys.operator,
        DATABASE_URL: api.databaseUrl,
        ENCRYPTION_KEYS: EncryptionKeys.generate('guide'),
      };
    }

    function inPractice(code: string): string {
      return code.replaceAll('https://eyrie.example.org', api.url).replaceAll('http://alertmanager:9093', alertmanager);
    }

    /** Standard output; with the complaint where a command fails. */
    async function follow({ code }: Block, more: Record<string, string> = {}): Promise<string> {
      const args = ['-Eeuo', 'pipefail', '-c', inPractice(code)];
      const { stdout } = await run('bash', args, { cwd: folder, env: { ...env, ...more }, timeout: 120_000 });
      return stdout;
    }

    const sh = () => blocks.filter(({ language }) => language === 'sh');
    const holding = (command: string) => {
      const found = sh().filter(({ code }) => code.includes(command));
      expect([command, found.length]).toEqual([command, 1]);
      return found[0]!;
    };
    const silences = async (url: string) => {
      const answer = await fetch(`${url}/api/v2/silences`, { headers: { authorization: `Bearer ${keys.operator}` } });
      const all = (await answer.json()) as { status: { state: string }; comment: string; matchers: object[] }[];
      return all
        .filter(({ status }) => status.state === 'active')
        .map(({ comment, matchers }) => JSON.stringify([comment, matchers]))
        .sort();
    };
    const post = async (url: string, path: string, body: unknown) => {
      const headers = { authorization: `Bearer ${keys.operator}`, 'content-type': 'application/json' };
      const { status } = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      expect(status).toBe(200);
    };

    it('H9: each of its commands is tried here', () => {
      const tried = [
        ...['check-config alertmanager.yml', 'keys -- create', 'diff <(', 'notifications?state=dead'],
        ...['import --force silences.json\n', '/-/reload', '/receivers/', 'decrypt'],
      ];
      const untried = sh().filter(({ code }) => !tried.some((part) => code.includes(part)));
      expect(untried).toEqual([]);
    });

    it('H4: checking the file', async () => {
      const said = await follow(holding('amtool check-config alertmanager.yml'));
      expect(said).toMatch(/SUCCESS/);
      expect(said).toMatch(/^alertmanager\.yml: \d+ routes, \d+ receivers with \d+ integrations/m);
    }, 60_000);

    it('I2: keys that may do what the guide says, and no more', async () => {
      const created = (await follow(holding('keys -- create'))).matchAll(/^(\S{20,})\n\nKept as "(\w+)"/gm);
      const keyOf: Record<string, string> = Object.fromEntries([...created].map(([, key, name]) => [name!, key!]));
      expect(Object.keys(keyOf)).toEqual(['prometheus', 'amtool', 'operations']);
      const status = async (name: string, method: string, path: string, body?: unknown) =>
        (await api.ask(method, path, { key: keyOf[name]!, body })).status;
      expect(await status('prometheus', 'POST', '/api/v2/alerts', [])).toBe(200);
      expect(await status('prometheus', 'GET', '/api/v2/alerts')).toBe(403);
      expect(await status('amtool', 'GET', '/api/v2/silences')).toBe(200);
      expect(await status('amtool', 'POST', '/api/v2/silences', {})).toBe(400);
      expect(await status('amtool', 'POST', '/-/reload')).toBe(403);
      expect(await status('operations', 'POST', '/-/reload')).toBe(200);
    }, 60_000);

    it('H9: both side by side tell the same', async () => {
      const startsAt = new Date().toISOString();
      const alerts = ['Down', 'Slow'].map((alertname) => ({ labels: { alertname, severity: 'critical' }, startsAt }));
      for (const url of [alertmanager, api.url]) await post(url, '/api/v2/alerts', alerts);
      const said = await follow(holding('diff <('));
      expect(said).toContain('Down');
      expect(said).toContain('receiver: everybody');
      await post(alertmanager, '/api/v2/alerts', [{ labels: { alertname: 'Only there' } }]);
      await expect(follow(holding('diff <('))).rejects.toMatchObject({ stdout: expect.stringContaining('Only there') });
    }, 120_000);

    it('H7: what could not be delivered', async () => {
      expect(JSON.parse(await follow(holding('notifications?state=dead')))).toMatchObject({ notifications: [] });
    }, 60_000);

    it('H5: silences go there and back', async () => {
      const endsAt = new Date(Date.now() + 3_600_000).toISOString();
      for (const value of ['Down', 'Slow']) {
        const matchers = [{ name: 'alertname', value, isRegex: false, isEqual: true }];
        const silence = { matchers, startsAt: new Date().toISOString(), endsAt, createdBy: 'ann', comment: value };
        await post(alertmanager, '/api/v2/silences', silence);
      }
      const there = sh().findIndex(({ code }) => code.includes('import --force silences.json'));
      await follow(sh()[there]!);
      expect(await silences(api.url)).toEqual(await silences(alertmanager));
      expect(await silences(api.url)).toHaveLength(2);

      await follow({ language: 'sh', code: 'amtool silence expire $(amtool silence query --quiet)\n' });
      expect(await silences(api.url)).toEqual([]);
      const back = sh().find(({ code }) => code.includes('secrets -- decrypt'))!;
      await follow({ language: 'sh', code: 'amtool silence add Back --author=ann --comment=back\n' });
      await follow({ language: 'sh', code: 'npm run -s secrets -- encrypt alertmanager.yml\n' });
      expect(await readFile(join(folder, 'alertmanager.yml'), 'utf8')).not.toContain('planted');
      expect(await follow(back)).toContain('SUCCESS');
      expect(await readFile(join(folder, 'plain.yml'), 'utf8')).toContain('planted-bearer-secret');
      expect(await silences(alertmanager)).toHaveLength(3);
    }, 120_000);

    it('H4: the new file comes into force, and a receiver is tried out', async () => {
      await follow(holding('/-/reload'));
      expect(await follow(holding('/receivers/'))).toContain('"delivered"');
    }, 60_000);

    it('H9: its file for Prometheus is one', async () => {
      const { code } = blocks.find((block) => block.code.startsWith('# prometheus.yml\n'))!;
      await writeFile(join(folder, 'prometheus.yml'), code.replace('/etc/prometheus/eyrie.key', join(folder, 'key')));
      await writeFile(join(folder, 'key'), keys.ingest);
      const where = ['run', '--rm', '--user', '0', '-v', `${folder}:${folder}:ro`, '--entrypoint', 'promtool'];
      const { stdout } = await run('docker', [...where, PROMETHEUS, 'check', 'config', join(folder, 'prometheus.yml')]);
      expect(stdout).toContain('SUCCESS');
    }, 60_000);

    it('I4: docs/secrets.md: from plain values to encrypted ones and another key', async () => {
      const page = (await blocksOf('secrets.md')).filter(({ language }) => language === 'sh');
      await cp(join(FIXTURES, 'complete.yml'), join(folder, 'alertmanager.yml'));
      await writeFile(join(folder, 'token'), 'planted-token\n');
      const said = (await Promise.all(page.map((block) => follow(block)))).join('');
      expect(said).toContain('alertmanager.yml: 7 values with guide, which encrypts');
      const ENCRYPTION_KEYS = `${EncryptionKeys.generate('next')},${env.ENCRYPTION_KEYS}`;
      const rotate = { language: 'sh', code: 'npm run -s secrets -- rotate alertmanager.yml token.enc\n' };
      expect(await follow(rotate, { ENCRYPTION_KEYS })).toBe(
        'alertmanager.yml: 7 values encrypted anew with next\ntoken.enc: 1 value encrypted anew with next\n',
      );
      expect(await follow({ language: 'sh', code: 'amtool check-config alertmanager.yml' })).toContain('SUCCESS');
    }, 120_000);

    it('S1: what it calls with npm run is there', async () => {
      const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
        scripts: Record<string, string>;
      };
      const called = new Set(
        [...sh(), ...(await blocksOf('secrets.md'))]
          .flatMap(({ code }) => [...code.matchAll(/npm run -s (\S+)/g)])
          .map(([, name]) => name!),
      );
      expect([...called].sort()).toEqual(['check-config', 'keys', 'secrets']);
      for (const name of called) expect([name, scripts[name]]).toEqual([name, `node dist/apps/api/src/${name}.js`]);
    });
  });
}
