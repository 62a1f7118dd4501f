import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis, type RedisOptions } from 'ioredis';
import {
  freePort,
  randomPrefix,
  startProcess,
  startRedis,
  startTcpProxy,
  waitFor,
  type RedisServer,
} from '@openclaw/test-support';
import { clientsOfTest } from './testing/clients.ts';

let server: RedisServer;
let key: string;
const opened: Redis[] = [];
const clients = clientsOfTest();

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => {
  key = `${randomPrefix()}counter`;
});
afterEach(() => opened.splice(0).forEach((redis) => redis.disconnect()));
afterAll(() => server.stop());

type Options = Omit<RedisOptions, 'replyMapping'>;

function open(options: Options): Redis {
  const redis = new Redis({ port: server.port, disconnectTimeout: 50, ...options });
  opened.push(redis);
  redis.on('error', () => undefined);
  return redis;
}
async function connect(options: Options): Promise<Redis> {
  const redis = open(options);
  await waitFor(() => redis.status === 'ready');
  return redis;
}

const storedCount = async () => Number(/\d+$/.exec(await server.command(`GET ${key}`))?.[0] ?? 0);

// If a test fails after an update of ioredis, our profile may no longer need the option that the test is about.
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

  it('a subscriber does not notice that its connection was cut, although ours does', async () => {
    const proxy = await startTcpProxy(server.port);
    const theirs = await connect({ port: proxy.port });
    await theirs.subscribe(key);
    const ours = await clients.connect({ host: '127.0.0.1', port: proxy.port });
    await ours.subscriber.subscribe(key as never, () => undefined);
    proxy.stall();
    await waitFor(() => !ours.subscriber.connected, { what: 'our watchdog' });
    expect(theirs.status).toBe('ready');
    await ours.close();
    await proxy.stop();
  });

  it('without a registry of ours a new connection is subscribed to nothing', async () => {
    const redis = await connect({ autoResubscribe: false });
    await redis.subscribe(key);
    const subscribers = () => server.command(`PUBSUB NUMSUB ${key}`);
    expect(await subscribers()).toMatch(/:1$/);
    await server.command('CLIENT KILL TYPE pubsub SKIPME yes');
    await waitFor(() => redis.status !== 'ready');
    await waitFor(() => redis.status === 'ready');
    expect(await subscribers()).toMatch(/:0$/);
  });

  it('calls made while the server is gone are all kept in memory', async () => {
    const redis = await connect({ maxRetriesPerRequest: null });
    await server.kill();
    await waitFor(() => redis.status !== 'ready');
    let settled = 0;
    const calls = Array.from({ length: 10_000 }, () => redis.incr(key).then(() => (settled += 1)));
    await new Promise((resolve) => redis.once('reconnecting', resolve));
    expect(settled).toBe(0);
    await server.restart();
    await Promise.all(calls);
    expect(await storedCount()).toBe(10_000);
  });

  it('a call is held for as long as the server is down', async () => {
    const redis = open({ port: await freePort() });
    let isSettled = false;
    void redis
      .incr(key)
      .finally(() => (isSettled = true))
      .catch(() => undefined);
    let attempts = 0;
    redis.on('reconnecting', () => (attempts += 1));
    await waitFor(() => attempts >= 8);
    expect(isSettled).toBe(false);
  });

  it('a master that became a replica stays in use, and each write fails', async () => {
    const [other, demoted] = [await startRedis(), await startRedis()];
    const redis = await connect({ port: demoted.port });
    await demoted.command(`REPLICAOF 127.0.0.1 ${other.port}`);
    for (let write = 0; write < 3; write += 1) {
      await expect(redis.incr(key)).rejects.toThrow('READONLY');
      expect(redis.status).toBe('ready');
    }
    redis.disconnect();
    await Promise.all([other.stop(), demoted.stop()]);
  });

  it('two systems separated only by keyPrefix and database receive each other’s events', async () => {
    const [ours, theirs] = [
      await connect({ keyPrefix: 'ours:', db: 0 }),
      await connect({ keyPrefix: 'theirs:', db: 1 }),
    ];
    const heard: string[] = [];
    ours.on('message', (topic, message) => heard.push(topic, message));
    await ours.subscribe(key);
    await theirs.publish(key, 'not meant for us');
    await waitFor(() => heard.length > 0);
    expect(heard).toEqual([key, 'not meant for us']);
  });

  it('a large reply never arrives on a subscribed connection, and always on another one', async () => {
    const [subscribed, plain] = [await connect({}), await connect({})];
    // Redis closes the connection at each large reply, so ioredis subscribes again. Without this catch, the rejection
    // of that resubscription would end the process.
    const subscribe = subscribed.subscribe.bind(subscribed) as (topic: string) => Promise<unknown>;
    const resubscribed = (topic: string) => subscribe(topic).catch(() => undefined);
    Object.assign(subscribed, { subscribe: resubscribed });
    await subscribed.subscribe('topic');
    await plain.setrange(key, 40_000_000 - 1, 'x');
    let isSettled = false;
    void subscribed
      .get(key)
      .finally(() => (isSettled = true))
      .catch(() => undefined);
    for (let time = 0; time < 5; time += 1) {
      expect(await plain.get(key)).toHaveLength(40_000_000);
    }
    expect(isSettled).toBe(false);
  });
});
