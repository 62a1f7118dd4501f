// One configuration for the whole workspace. Each suite starts the servers that it needs, on free ports.
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// Suites that take minutes or depend on an idle machine. `npm run test:slow` runs them.
export const slowSuites = [
  'e2e/topologies/',
  'e2e/databases-',
  'e2e/lost-database',
  'e2e/presence-kill',
  'e2e/presence-faults',
  'e2e/redis-refuses-writes',
  'e2e/herd',
  'e2e/slow',
  'e2e/retention-load',
  'e2e/log-waits-slow',
  'chat-store/src/postgres/pgbouncer',
  'e2e/erase-load',
  'client/src/rolling-restart',
  'presence/src/quiet-hour',
  'presence/src/refused-writes',
  'apps/web/src/e2e/crowd-by-the-clock',
  'apps/web/src/e2e/behind-proxies',
  'bench/src/cost-model/cost-model',
  'bench/src/compare/compare.e2e',
  'tools/backup/src/drills/',
  'tools/monitoring/src/drills/',
  'infra-test/src/deployed/',
  'infra-test/src/packed/',
  'infra-test/src/proxies/',
  'infra-test/src/python-client',
];

export default {
  globalSetup: here('tools/setup/jest-setup.mjs'),
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@openclaw/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['**/src/**/*.test.ts', '**/examples/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', ...slowSuites],
  modulePathIgnorePatterns: ['/dist/', '/.nx/'],
  moduleNameMapper: {
    '^\\./spawn-worker\\.ts$': here('packages/chat-store/src/testing/spawn-bundled-worker.ts'),
  },
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
  testTimeout: 60_000,
  // Most suites wait for servers and timers, so three of them keep two cores busy.
  maxWorkers: 3,
};
