import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import type { Settings, Slices } from './setting.js';

/**
 * Nest's `ConfigService` over the settings that were read before Nest started. It never looks at the environment
 * itself, so that `get('PORT')` cannot bypass a schema.
 *
 * @example constructor(config: ConfigService<typeof settings, true>) { config.get('database.poolMax', { infer: true }); }
 */
@Module({})
export class SettingsModule {
  static forRoot<S extends Slices>(settings: Settings<S>): DynamicModule {
    return {
      module: SettingsModule,
      imports: [
        ConfigModule.forRoot({
          isGlobal: true,
          ignoreEnvFile: true,
          ignoreEnvVars: true,
          skipProcessEnv: true,
          load: [() => settings],
        }),
      ],
    };
  }
}

export { ConfigService };
