import { fileURLToPath } from 'node:url';
import { answersOk, startServer } from './server-process.ts';
import type { System } from './system.ts';

const program = fileURLToPath(new URL('../peers/floor-server.ts', import.meta.url));

export const floorSystem: System = {
  name: 'floor',
  dialect: 'plain',
  description: 'bare ws and ioredis: nothing checked, stored, ordered or recovered',
  start: (redis) =>
    startServer(
      {
        command: process.execPath,
        args: ({ port }) => [program, String(port), redis.url],
        isReady: ({ port }) => answersOk(port, '/'),
      },
      redis,
    ),
  prepare: async () => undefined,
};
