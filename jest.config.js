/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // Tests run on the sources of @keyturn/lib, never on a build that may be stale.
  testEnvironmentOptions: { customExportConditions: ['keyturn-source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/lib/dist/'],
  globalSetup: '<rootDir>/tests/support/global-setup.mjs',
  globalTeardown: '<rootDir>/tests/support/global-teardown.mjs',
  testTimeout: 30_000,
  maxWorkers: 2,
  coverageProvider: 'v8',
  collectCoverageFrom: [
    'server/**/*.ts',
    'db/**/*.ts',
    'lib/{protocol,verifier,express,passport}/**/*.ts',
    'cli/**/*.ts',
  ],
};
