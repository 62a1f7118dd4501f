import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis, type RedisOptions } from 'ioredis';
import {
  randomPrefix,
  startRedis,
  startTcpProxy,
  waitFor,
  type RedisServer,
} from '@openclaw/test-support';

let server: RedisServer;
let key: string;

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => {
  key = `${randomPrefix()}counter`;
});
afterAll(() => server.stop());

async function connect(options: RedisOptions): Promise<Redis> {
  const redis = new Redis({ host: '127.0.0.1', port: server.port, ...options });
  redis.on('error', () => undefined);
  await waitFor(() => redis.status === 'ready');
  return redis;
}

const storedCount = async () => Number(/\d+$/.exec(await server.command(`GET ${key}`))?.[0] ?? 0);

// Should one of these fail after an update of ioredis, that setting of our profile may have become needless.
describe('negative controls: the faults that our profile prevents, with the defaults of ioredis', () => {
  it('a command that timed out in the offline queue runs after the reconnect', async () => {
    const redis = await connect({ commandTimeout: 200 });
    await server.kill();
    await waitFor(() => redis.status !== 'ready');
    await expect(redis.incr(key)).rejects.toThrow('Command timed out');
    await server.restart();
    await waitFor(async () => (await storedCount()) === 1);
    redis.disconnect();
  });

  it('a write whose answer was lost is stored twice', async () => {
    const proxy = await startTcpProxy(server.port);
    const redis = await connect({ port: proxy.port });
    proxy.stallReplies();
    const write = redis.incr(key);
    await waitFor(async () => (await storedCount()) === 1);
    proxy.cut();
    proxy.resume();
    expect(await write).toBe(2);
    redis.disconnect();
    await proxy.stop();
  });

  it('a refused resubscription is a rejection that nobody handles', async () => {
    await server.command('ACL SETUSER hub reset on >secret ~* &* +@all');
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    const redis = await connect({ username: 'hub', password: 'secret' });
    await redis.subscribe(key);
    await server.command('ACL SETUSER hub resetchannels');
    await waitFor(() => unhandled.length > 0);
    expect(String(unhandled[0])).toContain('NOPERM');
    process.off('unhandledRejection', onUnhandled);
    redis.disconnect();
  });
});
