import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis, type RedisOptions } from 'ioredis';
import {
  randomPrefix,
  startProcess,
  startRedis,
  startTcpProxy,
  waitFor,
  type RedisServer,
} from '@openclaw/test-support';

let server: RedisServer;
let key: string;
const opened: Redis[] = [];

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => {
  key = `${randomPrefix()}counter`;
});
afterEach(() => opened.splice(0).forEach((redis) => redis.disconnect()));
afterAll(() => server.stop());

async function connect(options: Omit<RedisOptions, 'replyMapping'>): Promise<Redis> {
  const redis = new Redis({ port: server.port, disconnectTimeout: 50, ...options });
  opened.push(redis);
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
    await proxy.stop();
  });

  it('a refused resubscription ends the process', async () => {
    await server.command('ACL SETUSER hub reset on >secret ~* &* +@all');
    const program = `
      import { Redis } from 'ioredis';
      const redis = new Redis(${server.port}, { username: 'hub', password: 'secret' });
      redis.on('error', () => undefined);
      await redis.subscribe('${key}');
    `;
    const child = startProcess(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
    });
    await waitFor(async () => (await server.command(`PUBSUB NUMSUB ${key}`)).endsWith(':1'));
    await server.command('ACL SETUSER hub resetchannels');
    expect(await child.exited).toBe(1);
    expect(child.output()).toContain('NOPERM');
  });
});
