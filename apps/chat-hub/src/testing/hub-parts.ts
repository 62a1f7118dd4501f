// What test-hub.ts takes from the hub. The test build bundles this module.
export { parseConfig } from '../config.ts';
export { startHub } from '../start-hub.ts';
export { pino } from 'pino';
