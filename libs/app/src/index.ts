export { defineProgram, type Program, type ProgramContext } from './program.js';
export { type StandardOptions, standardModules } from './standard-modules.js';
export { standardSettings, type StandardSlices } from './standard-settings.js';
