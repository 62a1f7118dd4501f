import { fileURLToPath } from 'node:url';
import { answersOk, startServer } from './server-process.ts';
import type { System } from './system.ts';

const program = fileURLToPath(new URL('../peers/socket-io-server.ts', import.meta.url));

const adapters = {
  streams:
    'Socket.IO with its Redis streams adapter and connection state recovery, nothing checked',
  pubsub: 'Socket.IO with its Redis pub/sub adapter, nothing checked or kept',
} as const;

export function socketIoSystem(adapter: keyof typeof adapters): System {
  return {
    name: `socket.io-${adapter}`,
    dialect: 'socket-io',
    description: adapters[adapter],
    start: (redis) =>
      startServer(
        {
          command: process.execPath,
          args: ({ port }) => [program, String(port), redis.url, adapter],
          isReady: ({ port }) => answersOk(port, '/'),
        },
        redis,
      ),
    prepare: async () => undefined,
  };
}
