import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { EventWakes, LiveEvents, RealtimeModule } from './index.js';

describe('RealtimeModule', () => {
  it('H10: for a process that only writes: wake-ups, and no WebSockets', async () => {
    const module = await Test.createTestingModule({ imports: [RealtimeModule.forWriters()] }).compile();
    expect(module.get(EventWakes)).toBeInstanceOf(EventWakes);
    expect(() => module.get(LiveEvents)).toThrow();
    await module.close();
  });

  it('H10: the WebSocket server is loaded by those who serve, not by all who import the library', async () => {
    const files = (await readdir(import.meta.dirname)).filter((name) => !name.endsWith('.spec.ts'));
    const sources = await Promise.all(files.map((name) => readFile(join(import.meta.dirname, name), 'utf8')));
    expect(sources.filter((source) => source.includes("import('ws')"))).toHaveLength(1);
    expect(sources.filter((source) => /^import (?!type ).*from 'ws'/m.test(source))).toEqual([]);
  });
});
