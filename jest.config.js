/** One configuration for unit specs (beside the code) and e2e specs (test/e2e). ESM throughout; see `npm test`. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/test/ops/amtool'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^eyrie/(app|database|server|tracing)/([^/]+)$': '<rootDir>/libs/$1/src/$2.ts',
    '^eyrie/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          target: 'es2024',
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  globalSetup: '<rootDir>/test/harness/global-setup.ts',
  globalTeardown: '<rootDir>/test/harness/global-teardown.ts',
  setupFiles: ['<rootDir>/test/harness/setup.ts'],
  setupFilesAfterEnv: process.env.CI ? ['<rootDir>/test/harness/retry.ts'] : [],
  testTimeout: 20_000,
  // Specs wait as much as they work, for servers of their own: jest would leave a core free.
  maxWorkers: '100%',
};
