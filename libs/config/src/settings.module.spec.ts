import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { expect, it } from '@jest/globals';
import { loadSettings } from './load.js';
import { port } from './schemas.js';
import { defineSettings, setting } from './setting.js';
import { ConfigService, SettingsModule } from './settings.module.js';

const server = defineSettings({ port: setting('PORT', port().default(3000), { description: 'Where it listens.' }) });
const settings = loadSettings({ server }, { env: { PORT: '81' }, cwd: import.meta.dirname });

@Injectable()
class Listener {
  constructor(readonly config: ConfigService<typeof settings, true>) {}
}

it("A2: Nest's ConfigService gives the typed, frozen settings everywhere, and never the environment itself", async () => {
  process.env['PLANTED_SETTING'] = 'x';
  const module = await Test.createTestingModule({
    imports: [SettingsModule.forRoot(settings)],
    providers: [Listener],
  }).compile();
  const { config } = module.get(Listener);
  const given: number = config.get('server.port', { infer: true });
  expect(given).toBe(81);
  expect(config.get('server', { infer: true })).toBe(settings.server);
  expect(config.get('environment', { infer: true })).toBe('development');
  expect(config.get('PLANTED_SETTING' as never)).toBeUndefined();
  delete process.env['PLANTED_SETTING'];
  await module.close();
});
