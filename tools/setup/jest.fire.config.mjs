import base, { underFire } from '../../jest.config.mjs';

export default {
  ...base,
  rootDir: '../..',
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  testMatch: underFire.map((path) => `**/${path}**`.replace(/\/\*\*$/, '/**/*.test.ts')),
  maxWorkers: 1,
};
