// The test build bundles this module for test-hub.ts.
export { parseConfig } from '../config.ts';
export { startHub } from '../start-hub.ts';
export { pino } from 'pino';
