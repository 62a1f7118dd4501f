// One configuration for the whole workspace. A test file's suffix says what must be running:
// .test (nothing), .redis.test, .pg.test, .e2e.test; each starts its own servers on free ports.
// Long, and at the mercy of a busy machine: faults of minutes, thousands of sockets. `npm run test:fire` runs them.
export const underFire = [
  'e2e/topologies/',
  'e2e/databases-',
  'e2e/presence-kill',
  'e2e/presence-faults',
  'e2e/redis-refuses-writes',
  'e2e/herd',
  'e2e/slow',
  'presence/src/quiet-hour',
  'presence/src/refused-writes',
  'apps/web/src/e2e/crowd-by-the-clock',
];

export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@openclaw/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['**/src/**/*.test.ts', '**/examples/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', ...underFire],
  modulePathIgnorePatterns: ['/dist/', '/.nx/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
      },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!@openclaw/)', '/dist/'],
  testTimeout: 30_000,
  maxWorkers: 2,
};
