import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { centrifugoProgram, installCentrifugo } from '../peers/centrifugo-program.ts';
import { answersOk, startServer, type ServerPlace } from './server-process.ts';
import type { System } from './system.ts';

export const centrifugoSystem: System = {
  name: 'centrifugo',
  dialect: 'centrifugo',
  description: 'Redis engine with 300 messages of history for 60 s, nothing persisted or checked',
  install: installCentrifugo,
  start: (redis) =>
    startServer(
      {
        command: centrifugoProgram,
        args: ({ folder }) => ['--config', configPath(folder)],
        arrange: (place) =>
          writeFileSync(configPath(place.folder), JSON.stringify(configFor(place))),
        isReady: ({ port }) => answersOk(port, '/health'),
      },
      redis,
    ),
  prepare: async () => undefined,
};

const configPath = (folder: string) => join(folder, 'centrifugo.json');

function configFor({ port, redis }: ServerPlace) {
  return {
    http_server: { address: '127.0.0.1', port: String(port) },
    log: { level: 'error' },
    health: { enabled: true },
    engine: { type: 'redis', redis: { address: redis.url } },
    client: { insecure: true },
    channel: {
      without_namespace: {
        allow_subscribe_for_client: true,
        allow_publish_for_subscriber: true,
        history_size: 300,
        history_ttl: '60s',
        force_recovery: true,
      },
    },
  };
}
