import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { keys, testApi, type TestApi } from '../harness/api.js';

const run = promisify(execFile);

const CONFIG = `route:
  receiver: everybody
  routes:
    - { receiver: team-db, matchers: [team="db"] }
receivers:
  - { name: everybody, webhook_configs: [{ url: 'http://hook.test/' }] }
  - { name: team-db }
`;

interface Silence {
  id: string;
  status: { state: string };
  comment: string;
  createdBy: string;
  matchers: { name: string; value: string; isEqual: boolean; isRegex: boolean }[];
  startsAt: string;
  endsAt: string;
}

/** amtool, from the image of Alertmanager, speaks to our api: each of its commands does what it says. */
export function amtoolAgainstTheHub(image: string): void {
  describe('amtool against the hub', () => {
    let api: TestApi;
    let folder: string;
    beforeAll(async () => {
      api = await testApi({ config: CONFIG });
      folder = await mkdtemp(join(tmpdir(), 'eyrie-amtool-hub-'));
      await writeFile(join(folder, 'key.yml'), `authorization: { credentials: ${keys.operator} }\n`);
    }, 60_000);
    afterAll(async () => {
      await api?.close();
      await rm(folder, { recursive: true, force: true });
    });

    /** What it prints; where it refuses, its complaint is thrown. */
    async function amtool(...args: string[]): Promise<string> {
      const where = ['--network', 'host', '--user', '0', '-v', `${folder}:${folder}:ro`, '--entrypoint', 'amtool'];
      const flags = [`--alertmanager.url=${api.url}`, `--http.config.file=${folder}/key.yml`];
      const { stdout, stderr } = await run('docker', ['run', '--rm', ...where, image, ...flags, ...args]);
      // It warns when it believes that it speaks to another version than its own.
      expect(stderr).toBe('');
      return stdout.trim();
    }
    const json = async <T>(...args: string[]) => JSON.parse(await amtool('--output=json', ...args)) as T;
    const silences = (...args: string[]) => json<Silence[]>('silence', 'query', ...args);

    it('H9: alert add, alert query', async () => {
      await amtool('alert', 'add', 'Down', 'team=db', 'cluster=eu', '--annotation=summary=it is down');
      await amtool('alert', 'add', 'alertname=Slow', 'cluster=us');
      const found = await json<{ labels: object; annotations: object }[]>('alert', 'query', 'Down');
      expect(found).toMatchObject([
        { labels: { alertname: 'Down', team: 'db', cluster: 'eu' }, annotations: { summary: 'it is down' } },
      ]);
      const names = async (...args: string[]) =>
        (await json<{ labels: { alertname: string } }[]>('alert', 'query', ...args)).map(
          ({ labels }) => labels.alertname,
        );
      expect((await names()).sort()).toEqual(['Down', 'Slow']);
      expect(await names('cluster=~"u.*"')).toEqual(['Slow']);
      expect(await names('--receiver=team-db')).toEqual(['Down']);
      expect(await amtool('alert', 'query', '--output=extended')).toContain('active');
    }, 60_000);

    it('H9: silence add, query, update, expire', async () => {
      const id = await amtool('silence', 'add', 'Down', 'cluster!=us', '--author=ann', '--comment=disks', '-d2h');
      expect(await silences()).toMatchObject([
        {
          ...{ id, createdBy: 'ann', comment: 'disks', status: { state: 'active' } },
          matchers: [
            { name: 'alertname', value: 'Down', isEqual: true, isRegex: false },
            { name: 'cluster', value: 'us', isEqual: false, isRegex: false },
          ],
        },
      ]);
      const names = async (flag: string) =>
        (await json<{ labels: { alertname: string } }[]>('alert', 'query', flag)).map(({ labels }) => labels.alertname);
      expect(await names('--silenced')).toContain('Down');
      expect(await names('--active')).toEqual(['Slow']);

      await amtool('silence', 'update', id, '--duration=5h', '--comment=more disks');
      const [updated] = await silences('Down');
      expect(updated).toMatchObject({ id, comment: 'more disks' });
      expect(Date.parse(updated!.endsAt) - Date.parse(updated!.startsAt)).toBe(5 * 3_600_000);
      expect(await silences('--created-by=bob')).toEqual([]);

      await amtool('silence', 'expire', id);
      expect(await silences()).toEqual([]);
      expect(await silences('--expired')).toMatchObject([{ id, status: { state: 'expired' } }]);
    }, 60_000);

    it('H9: silence import makes what silence query has put out', async () => {
      for (const name of ['One', 'Two', 'Three']) await amtool('silence', 'add', name, '--comment=exported');
      const exported = await silences();
      await writeFile(join(folder, 'silences.json'), JSON.stringify(exported));
      for (const { id } of exported) await amtool('silence', 'expire', id);
      await amtool('silence', 'import', '--force', join(folder, 'silences.json'));
      const imported = await silences();
      const contents = (all: Silence[]) =>
        all.map(({ matchers, comment }) => JSON.stringify([matchers, comment])).sort();
      expect(contents(imported)).toEqual(contents(exported));
      expect(imported.map(({ id }) => id).filter((id) => exported.some((each) => each.id === id))).toEqual([]);
    }, 60_000);

    it('H9: what makes no sense is refused in words that amtool shows', async () => {
      const complaint = (...args: string[]) => amtool(...args).catch((error: unknown) => (error as Error).message);
      expect(await complaint('silence', 'add', 'a=~.*', '--comment=x')).toContain('must not match the empty string');
      const none = '00000000-0000-4000-8000-000000000000';
      expect(await complaint('silence', 'expire', none)).toMatch(/not ?found/i);
    }, 60_000);

    it('H9: config show, config routes show and test, check-config, cluster show', async () => {
      expect(await amtool('config', 'show')).toContain('receiver: everybody');
      expect(await amtool('config', 'routes', 'show')).toMatch(/\{team="db"\} {2}receiver: team-db/);
      expect(await amtool('config', 'routes', 'test', 'team=db')).toBe('team-db');
      expect(await amtool('config', 'routes', 'test', '--verify.receivers=everybody', 'team=web')).toBe('everybody');
      const { config } = (await api.ask('GET', '/api/v2/status')).json as { config: { original: string } };
      await writeFile(join(folder, 'shown.yml'), config.original.replace('<secret>', 'http://hook.test/'));
      expect(await amtool('check-config', join(folder, 'shown.yml'))).toContain('SUCCESS');
      expect(await amtool('cluster', 'show')).toMatch(/Cluster Status:\s+disabled/);
    }, 60_000);
  });
}
