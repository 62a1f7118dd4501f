import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { randomPrefix, startRedis, type RedisServer } from '@openclaw/test-support';
import { Redis } from 'ioredis';
import type { RedisCommand } from './index.ts';
import { clientsOfTest } from './testing/clients.ts';

let server: RedisServer;
const clients = clientsOfTest();
const key = createKeySchema({ prefix: randomPrefix() }).sequence('room');

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

// The race: all calls share one connection, and Redis answers them in order. A blocking call would make every other
// call time out.
describe('a command that would take the shared connection', () => {
  it.each<RedisCommand[]>([
    [['BLPOP', key, 0]],
    [['blmove', key, key, 'LEFT', 'RIGHT', 0]],
    [['BZPOPMIN', key, 0]],
    [['XREAD', 'COUNT', 1, 'BLOCK', 0, 'STREAMS', key, '$']],
    [['xreadgroup', 'GROUP', 'g', 'c', 'block', '0', 'STREAMS', key, '>']],
    [['WAIT', 1, 0]],
    [['SUBSCRIBE', key]],
    [['MONITOR']],
    [['MULTI']],
    [['SELECT', 1]],
    [['CLIENT', 'REPLY', 'OFF']],
    [['client', 'reply', 'skip']],
    [['QUIT']],
  ])('is refused as `unsupported`, and other calls go on: %j', async (command) => {
    const redis = await clients.connect({ url: server.url });
    const [refused, other] = await Promise.allSettled([redis.send(command), redis.send(['PING'])]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'unsupported' } });
    expect(other).toEqual({ status: 'fulfilled', value: 'PONG' });
    expect(await redis.pipeline([['PING'], command, ['ECHO', 'x']])).toEqual([
      'PONG',
      expect.objectContaining({ code: 'unsupported' }),
      'x',
    ]);
    expect(redis.state.reconnects.commands).toBe(0);
  });

  it('is not taken for one that only looks like it', async () => {
    const redis = await clients.connect({ url: server.url });
    await redis.send(['XGROUP', 'CREATE', key, 'block', '$', 'MKSTREAM']);
    const read = ['XREADGROUP', 'GROUP', 'block', 'block', 'STREAMS', key, '>'] as const;
    expect(await redis.send(read)).toBeNull();
    expect(await redis.send(['XREAD', 'STREAMS', key, 'block', '$', 0])).toBeNull();
    await redis.send(['DEL', key]);
  });

  it('holds up every other call of a plain connection (the control)', async () => {
    const plain = new Redis(server.port, '127.0.0.1', { commandTimeout: 300 });
    plain.on('error', () => undefined);
    const blocked = plain.call('BLPOP', key, '0').catch(String);
    expect(await plain.ping().catch(String)).toContain('timed out');
    expect(await blocked).toContain('timed out');
    plain.disconnect();
  });
});
