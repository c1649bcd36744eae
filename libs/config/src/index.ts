export {
  defineSettings,
  type Environment,
  environments,
  type Fault,
  type Setting,
  type SettingOptions,
  type Settings,
  type SettingsOf,
  type SettingsSlice,
  type Slices,
  setting,
} from './setting.js';
export { duration, flag, formatDuration, formatSize, list, parseDuration, parseSize, port, size } from './schemas.js';
export { developmentSecret } from './development-secret.js';
export { type SettingRow } from './inspect.js';
export {
  describeSettings,
  EX_CONFIG,
  type LoadOptions,
  loadSettings,
  loadSettingsOrExit,
  SettingsError,
} from './load.js';
export type { Source, SourceOptions } from './sources.js';
export { ConfigService, SettingsModule } from './settings.module.js';
export type { SlicesByApp } from './catalogue.js';
export { type CliOptions, settingsCli } from './cli.js';
export { renderEnvExample, renderMarkdown } from './documents.js';
export { type Report, renderReport } from './report.js';
export { readProgramInfo, type ProgramInfo } from './program-info.js';
