import base, { slowSuites } from '../../jest.config.mjs';

export default {
  ...base,
  rootDir: '../..',
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  testMatch: slowSuites.map((path) => `**/${path}**`.replace(/\/\*\*$/, '/**/*.test.ts')),
  maxWorkers: 1,
};
