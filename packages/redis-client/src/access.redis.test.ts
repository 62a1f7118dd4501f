import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import {
  randomPrefix,
  startProcess,
  startRedis,
  waitFor,
  type RedisServer,
} from '@openclaw/test-support';
import { clientsOfTest, recordingLogger, untilUp } from './testing/clients.ts';

let server: RedisServer;
let keys: KeySchema;
const clients = clientsOfTest();

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(async () => {
  keys = createKeySchema({ prefix: randomPrefix() });
  await server.command('ACL SETUSER hub reset on >secret ~* &* +@all');
});
afterAll(() => server.stop());

const secretUrl = () => `redis://hub:secret@127.0.0.1:${server.port}`;

describe('a user with a password', () => {
  it('connects by URL and by options', async () => {
    const byUrl = await clients.connect({ url: secretUrl() });
    expect(await byUrl.send(['ACL', 'WHOAMI'])).toBe('hub');
    const byOptions = await clients.connect({
      port: server.port,
      username: 'hub',
      password: 'secret',
    });
    expect(await byOptions.send(['ACL', 'WHOAMI'])).toBe('hub');
  });

  it('with the wrong password is unavailable, logs why, and never prints the password', async () => {
    const logger = recordingLogger();
    const redis = clients.open(
      { port: server.port, username: 'hub', password: 'wrong-password' },
      logger,
    );
    await waitFor(() => logger.lines.length > 0);
    expect(redis.available).toBe(false);
    expect(JSON.stringify(logger.lines)).toContain('WRONGPASS');
    expect(JSON.stringify(logger.lines)).not.toContain('wrong-password');
    const error = await redis.send(['PING']).catch((e: unknown) => String(e));
    expect(error).toContain('WRONGPASS');
    expect(error).not.toContain('wrong-password');
    await server.command('ACL SETUSER hub >wrong-password');
    await untilUp(redis);
  });
});

describe('a topic that the ACL denies', () => {
  it('is refused as `rejected`, and other topics of the same turn are not affected', async () => {
    await server.command(`ACL SETUSER hub resetchannels &${keys.channelTopic('open')}`);
    const logger = recordingLogger();
    const redis = await clients.connect({ url: secretUrl() }, logger);
    const [open, secret] = await Promise.allSettled([
      redis.subscriber.subscribe(keys.channelTopic('open'), () => undefined),
      redis.subscriber.subscribe(keys.channelTopic('secret'), () => undefined),
    ]);
    expect(open.status).toBe('fulfilled');
    expect(secret).toMatchObject({
      status: 'rejected',
      reason: { code: 'rejected', message: expect.stringContaining('NOPERM') },
    });
    expect(redis.subscriber.connected).toBe(true);
    expect((await redis.health()).subscriber).toMatchObject({ topics: 1, unconfirmed: 0 });
    expect(logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('after a reconnect is reported once and retried until it is allowed again', async () => {
    const logger = recordingLogger();
    const redis = await clients.connect({ url: secretUrl() }, logger);
    const heard: string[] = [];
    let resubscribed = 0;
    redis.subscriber.onResubscribed(() => (resubscribed += 1));
    await redis.subscriber.subscribe(keys.channelTopic('open'), (message) =>
      heard.push(`open ${message}`),
    );
    await redis.subscriber.subscribe(keys.channelTopic('secret'), (message) =>
      heard.push(`secret ${message}`),
    );
    // Redis ends connections that listen to a revoked channel.
    await server.command(`ACL SETUSER hub resetchannels &${keys.channelTopic('open')}`);
    await waitFor(async () => (await redis.health()).subscriber.unconfirmed === 1);
    await waitFor(() => resubscribed === 1);
    await server.command(`PUBLISH ${keys.channelTopic('open')} 1`);
    await waitFor(() => heard.length === 1);
    expect(redis.subscriber.connected).toBe(false);
    const refusals = () =>
      logger.lines.filter(({ message }) => message.includes('refused a subscription'));
    expect(refusals()).toMatchObject([
      { level: 'error', details: { topic: keys.channelTopic('secret') } },
    ]);
    await server.command('ACL SETUSER hub allchannels');
    await waitFor(() => redis.subscriber.connected, { timeoutMs: 10_000 });
    await waitFor(() => resubscribed === 2);
    await server.command(`PUBLISH ${keys.channelTopic('secret')} 2`);
    await waitFor(() => heard.length === 2);
    expect(heard).toEqual(['open 1', 'secret 2']);
    expect(refusals()).toHaveLength(1);
  });

  // In ioredis' own resubscription, the refusal would be an unhandled rejection, which ends the process.
  it('after a reconnect does not end the process', async () => {
    const topic = keys.channelTopic('secret');
    const program = `
      import { createRedisClient } from '@openclaw/redis-client';
      const redis = createRedisClient({ url: '${secretUrl()}' });
      redis.onAvailability((available) => available && redis.subscriber.subscribe('${topic}', () => undefined));
      setInterval(async () => {
        const { unconfirmed, reconnects } = (await redis.health()).subscriber;
        if (unconfirmed === 1 && reconnects > 0) console.log('alive and refused');
      }, 20);
    `;
    const child = startProcess(
      process.execPath,
      ['--conditions=@openclaw/source', '--input-type=module', '-e', program],
      { cwd: import.meta.dirname },
    );
    await waitFor(async () => (await server.command(`PUBSUB NUMSUB ${topic}`)).endsWith(':1'));
    await server.command('ACL SETUSER hub resetchannels');
    await waitFor(() => /(alive and refused\s*){10}/.test(child.output()));
    await child.stop('SIGKILL');
  });

  it('does not hide the health of a client that may not send INFO', async () => {
    await server.command('ACL SETUSER hub -info');
    const redis = await clients.connect({ url: secretUrl() });
    expect(await redis.health()).toMatchObject({
      status: 'ok',
      role: null,
      runId: null,
      usedMemoryBytes: null,
    });
  });
});
