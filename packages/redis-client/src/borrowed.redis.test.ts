import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import {
  randomPrefix,
  startRedis,
  startTcpProxy,
  waitFor,
  type RedisServer,
} from '@openclaw/test-support';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { createRedisClient } from './index.ts';
import { clientsOfTest, timed, untilUp } from './testing/clients.ts';

let server: RedisServer;
let keys: KeySchema;
const clients = clientsOfTest();
const theirs: Redis[] = [];

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => {
  keys = createKeySchema({ prefix: randomPrefix() });
});
afterEach(() => {
  for (const redis of theirs.splice(0)) redis.disconnect();
});
afterAll(() => server.stop());

/** Connects with ioredis' defaults, like a caller that lends its connection. */
function connectTheirs(options: Omit<RedisOptions, 'replyMapping'> = {}, port = server.port) {
  const redis = new Redis(port, '127.0.0.1', options);
  redis.on('error', () => undefined);
  theirs.push(redis);
  return redis;
}

const listenersOf = (redis: Redis) => redis.eventNames().flatMap((name) => redis.listeners(name));

describe('a client on connections of the caller’s own', () => {
  it.each([
    ['that connects meanwhile', async (_redis: Redis) => {}],
    ['that is connected', (redis: Redis) => waitFor(() => redis.status === 'ready')],
  ])('sends commands over one %s, and subscribes on another of its own', async (_which, before) => {
    const redis = connectTheirs();
    await before(redis);
    const client = await clients.connect({ connection: redis, connectionName: 'borrower' });
    const theirId = await redis.call('CLIENT', 'ID');
    expect(await client.send(['CLIENT', 'ID'])).toBe(theirId);
    expect(await client.pipeline([['CLIENT', 'ID'], ['NO'], ['PING']])).toEqual([
      theirId,
      expect.objectContaining({ code: 'rejected' }),
      'PONG',
    ]);
    const heard: string[] = [];
    await client.subscriber.subscribe(keys.globalTopic, (message) => heard.push(message));
    await client.send(['PUBLISH', keys.globalTopic, 'hello']);
    await waitFor(() => heard.length > 0);
    expect(heard).toEqual(['hello']);
    expect(await server.command('CLIENT LIST')).toContain('name=borrower:sub');
    expect(await client.health()).toMatchObject({ status: 'ok', mode: 'standalone' });
  });

  it('connects a lazy connection', async () => {
    const client = clients.open({ connection: connectTheirs({ lazyConnect: true }) });
    expect(await client.send(['PING'])).toBe('PONG');
  });

  it('leaves both connections open and as they were when it is closed', async () => {
    const [commands, subscriber] = [connectTheirs(), connectTheirs()];
    const before = [commands, subscriber].map(listenersOf);
    const client = await clients.connect({ connection: { commands, subscriber } });
    const heard: string[] = [];
    await client.subscriber.subscribe(keys.globalTopic, (message) => heard.push(message));
    await client.subscriber.subscribePattern(keys.channelPattern, () => undefined);
    await commands.publish(keys.globalTopic, 'hello');
    await waitFor(() => heard.length > 0);
    await client.close();
    expect([commands, subscriber].map(listenersOf)).toEqual(before);
    expect(await commands.ping()).toBe('PONG');
    // A connection in subscriber mode would refuse GET.
    expect(await subscriber.get(keys.sequence('room'))).toBeNull();
    expect(await commands.publish(keys.globalTopic, 'nobody')).toBe(0);
    await expect(client.send(['PING'])).rejects.toMatchObject({ code: 'closed' });
  });

  // With the connection’s own options, a call could wait forever.
  it('ends its calls in their timeout on a frozen server, and is restored after it', async () => {
    const [commands, subscriber] = [connectTheirs(), connectTheirs()];
    const client = await clients.connect({
      connection: { commands, subscriber },
      commandTimeoutMs: 300,
    });
    const heard: string[] = [];
    await client.subscriber.subscribe(keys.globalTopic, (message) => heard.push(message));
    let resubscribed = 0;
    client.subscriber.onResubscribed(() => (resubscribed += 1));
    server.freeze();
    try {
      const { ms, outcome } = await timed(client.send(['PING']));
      expect(outcome).toMatchObject({ code: 'timeout' });
      expect(ms).toBeLessThan(1500);
      await waitFor(() => !client.available);
    } finally {
      server.thaw();
    }
    await untilUp(client);
    client.subscriber.reconnect();
    await waitFor(() => resubscribed > 0);
    await client.send(['PUBLISH', keys.globalTopic, 'again']);
    await waitFor(() => heard.length > 0);
  });

  it('rejects calls in flight with `closed` when it is closed', async () => {
    const client = await clients.connect({ connection: connectTheirs() });
    server.freeze();
    try {
      const call = timed(client.send(['PING']));
      await client.close();
      expect((await call).outcome).toMatchObject({ code: 'closed' });
    } finally {
      server.thaw();
    }
  });

  it('refuses options that exclude each other', () => {
    const redis = connectTheirs({ lazyConnect: true });
    const prefixed = connectTheirs({ lazyConnect: true, keyPrefix: 'x:' });
    const cluster = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true });
    const refusals = [
      { connection: redis, url: server.url },
      { connection: redis, cluster: [] },
      { connection: { commands: redis, subscriber: redis } },
      { connection: { commands: cluster, subscriber: redis } },
      { connection: prefixed },
      { connection: { commands: redis, subscriber: prefixed } },
    ];
    for (const options of refusals) {
      expect(() => createRedisClient(options)).toThrow(
        expect.objectContaining({
          code: 'invalid_options',
          message: expect.stringMatching(/^connection /),
        }),
      );
    }
    cluster.disconnect();
  });
});

describe('a borrowed connection that the client dropped', () => {
  // The race: the client destroys a silent socket, and the owner's options tell ioredis not to open another socket. The
  // client must open it.
  it.each([
    ['never tries again', { retryStrategy: () => null }],
    ['gives up after one attempt', { retryStrategy: (times: number) => (times > 1 ? null : 10) }],
    ['retries without end', {}],
  ])('is restored after a freeze, if its owner %s', async (_which, options) => {
    const [commands, subscriber] = [connectTheirs(options), connectTheirs(options)];
    const client = await clients.connect({ connection: { commands, subscriber } });
    let dropped = 0;
    for (const redis of [commands, subscriber]) redis.once('close', () => (dropped += 1));
    server.freeze();
    try {
      await waitFor(() => dropped === 2);
      expect(client.available).toBe(false);
    } finally {
      server.thaw();
    }
    await untilUp(client, 5000);
    expect(await client.send(['PING'])).toBe('PONG');
  });

  // A connection stays silent if the network route is lost while it opens. ioredis waits until the operating system
  // gives up. The client limits the handshake to `commandTimeoutMs`.
  it('is restored after its handshake got no answer', async () => {
    await using proxy = await startTcpProxy(server.port);
    const [commands, subscriber] = [connectTheirs({}, proxy.port), connectTheirs({}, proxy.port)];
    const control = connectTheirs({}, proxy.port);
    const client = await clients.connect({ connection: { commands, subscriber } });
    await waitFor(() => control.status === 'ready');
    proxy.stall();
    control.stream.destroy();
    await waitFor(() => proxy.accepted >= 6 && !client.available);
    proxy.abandon();
    await untilUp(client, 5000);
    expect(await client.send(['PING'])).toBe('PONG');
    expect(control.status).toBe('connect');
  });
});
