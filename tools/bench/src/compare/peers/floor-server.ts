// This server shows the lower bound of the cost: fan-out over WebSockets and Redis, without checks, storage, order or
// recovery.
//   node floor-server.ts PORT REDIS_URL
import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { WebSocketServer, type WebSocket } from 'ws';

const [port, redisUrl] = process.argv.slice(2) as [string, string];
const topic = 'floor';
const publisher = new Redis(redisUrl);
const subscriber = new Redis(redisUrl);
const rooms = new Map<string, Set<WebSocket>>();

type Request =
  | { readonly join: readonly string[] }
  | { readonly id: number; readonly channelId: string; readonly content: string };

const http = createServer((_, response) => void response.end('ok'));
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on('connection', (socket, request) => {
  const agentId = new URL(request.url ?? '', 'http://floor').searchParams.get('agent');
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Request;
    if ('join' in message) {
      for (const channelId of message.join) roomOf(channelId).add(socket);
      socket.send('{"joined":true}');
      return;
    }
    const { id, channelId, content } = message;
    const envelope = { channelId, senderId: agentId, content, timestamp: Date.now() };
    publisher.publish(topic, JSON.stringify(envelope)).then(
      () => socket.send(`{"accepted":${id}}`),
      (error: unknown) => socket.send(JSON.stringify({ error: String(error) })),
    );
  });
  socket.on('close', () => {
    for (const room of rooms.values()) room.delete(socket);
  });
});

function roomOf(channelId: string): Set<WebSocket> {
  const room = rooms.get(channelId) ?? new Set();
  rooms.set(channelId, room);
  return room;
}

subscriber.on('message', (_, text) => {
  const { channelId } = JSON.parse(text) as { channelId: string };
  for (const socket of rooms.get(channelId) ?? []) socket.send(text);
});
await subscriber.subscribe(topic);
http.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
