// The chat is built as Socket.IO's documentation shows, with one of its two Redis adapters.
//   node socket-io-server.ts PORT REDIS_URL streams|pubsub
import { createServer } from 'node:http';
import { createAdapter as createPubsubAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { Server, type ServerOptions } from 'socket.io';

const [port, redisUrl, adapter] = process.argv.slice(2) as [string, string, string];
const maxDisconnectionMs = 120_000;
// Both adapters expect replies in version 2 of the Redis protocol.
const redis = new Redis(redisUrl, { protocol: 2 });

const options: Partial<ServerOptions> =
  adapter === 'streams'
    ? {
        adapter: createStreamsAdapter(redis),
        connectionStateRecovery: { maxDisconnectionDuration: maxDisconnectionMs },
      }
    : { adapter: createPubsubAdapter(redis, redis.duplicate()) };

const http = createServer((_, response) => void response.end('ok'));
const server = new Server(http, { ...options, transports: ['websocket'] });
server.on('connection', (socket) => {
  socket.on('join', async (channelIds: readonly string[], acknowledge: () => void) => {
    await socket.join([...channelIds]);
    acknowledge();
  });
  socket.on('send', (channelId: string, content: string, acknowledge: () => void) => {
    server
      .to(channelId)
      .emit('message', { channelId, senderId: socket.id, content, timestamp: Date.now() });
    acknowledge();
  });
});
http.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => {
  // Redis is closed last, because Socket.IO writes a session to Redis when the socket of the session closes.
  void server.close().then(async () => {
    await redis.quit();
    process.exit(0);
  });
});
