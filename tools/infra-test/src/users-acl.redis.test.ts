import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisClient, defineScript, type RedisClient } from '@openclaw/redis-client';
import { waitFor } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { redisCli, type As } from './redis-cli.ts';
import { sentCommands } from './sent-commands.ts';
import { startByScript, type StartedScript } from './start-script.ts';

const hub = { password: 'hub-secret' };
const exporter = { user: 'exporter', password: 'exporter-secret' };
const admin = { user: 'admin', password: 'admin-secret' };
const keys = createKeySchema();

const scope = suiteScope();
let server: StartedScript;
const cli = (as: As, ...command: string[]) => redisCli(server.port, command, as);

beforeAll(async () => {
  server = await scope.use(
    startByScript('prod', {
      REDIS_PASSWORD: hub.password,
      REDIS_EXPORTER_PASSWORD: exporter.password,
      REDIS_ADMIN_PASSWORD: admin.password,
      REDIS_REPLICATION_PASSWORD: 'replication-secret',
    }),
  );
});

describe('a client without a password', () => {
  it('is refused', async () => {
    expect(await cli({}, 'PING')).toMatch(/^NOAUTH/);
    expect(await cli({}, 'GET', keys.channel('c1'))).toMatch(/^NOAUTH/);
  });

  it('may take the name "health", which may PING and nothing else', async () => {
    const health = { user: 'health', password: 'any' };
    expect(await cli(health, 'PING')).toBe('PONG');
    expect(await cli(health, 'INFO')).toMatch(/^NOPERM/);
    expect(await cli(health, 'GET', keys.channel('c1'))).toMatch(/^NOPERM/);
    expect(await cli(health, 'PUBLISH', keys.globalTopic, 'x')).toMatch(/^NOPERM/);
  });
});

describe('the hub', () => {
  let client: RedisClient;
  beforeAll(async () => {
    client = createRedisClient({ host: '127.0.0.1', port: server.port, password: hub.password });
    await waitFor(() => client.available && client.subscriber.connected, {
      what: 'the connection',
    });
  });
  afterAll(() => client.close());

  it('connects with only a password, as in the EPIC, and reads its server’s health', async () => {
    const health = await client.health();
    expect(health).toMatchObject({ status: 'ok', role: 'master' });
    expect(health.runId).toMatch(/^[0-9a-f]{40}$/);
  });

  it('publishes and subscribes, by topic and by the pattern of all channels', async () => {
    const heard: string[] = [];
    await client.subscriber.subscribe(keys.agentTopic('a1'), (message) => heard.push(message));
    await client.subscriber.subscribePattern(keys.channelPattern, (message) => heard.push(message));
    await client.send(['PUBLISH', keys.agentTopic('a1'), 'one']);
    await client.send(['PUBLISH', keys.channelTopic('c1'), 'two']);
    await waitFor(() => heard.length === 2, { what: 'both messages' });
    expect(heard).toEqual(['one', 'two']);
  });

  it('runs scripts, which are limited to its own rights', async () => {
    const raise = defineScript('raise', "return redis.call('SET', KEYS[1], ARGV[1])");
    expect(await client.run({ script: raise, keys: [keys.sequence('c1')], args: [7] })).toBe('OK');
    const wipe = defineScript('wipe', "return redis.call('FLUSHALL')");
    await expect(client.run({ script: wipe, keys: [], args: [] })).rejects.toMatchObject({
      code: 'rejected',
    });
    const stray = defineScript('stray', "return redis.call('SET', 'other:x', '1')");
    await expect(client.run({ script: stray, keys: [], args: [] })).rejects.toMatchObject({
      code: 'rejected',
    });
  });

  it('may send every command that a package sends', async () => {
    const commands = await sentCommands();
    expect(commands.size).toBeGreaterThan(10);
    const granted = (await cli(admin, 'ACL', 'GETUSER', 'default')).split(/\s+/);
    // Only nodes of a Cluster get CLUSTER, and these users are for a single server.
    const missing = [...commands].filter(
      ([name]) => name !== 'CLUSTER' && !granted.includes(`+${name.toLowerCase()}`),
    );
    expect(missing).toEqual([]);
  });

  it.each([
    ['HSET', 'presence:c1:a1', 'status', 'online'],
    ['EXPIRE', 'presence:c1:a1', '300'],
    ['HGETALL', 'presence:c1:a1'],
    ['DEL', 'presence:c1:a1'],
    ['ZADD', 'typing:c1', '1', 'a1'],
    ['ZRANGEBYSCORE', 'typing:c1', '0', '9'],
    ['ZREM', 'typing:c1', 'a1'],
    ['SET', 'messages:c1:recent', '[]', 'EX', '300'],
    ['GET', 'messages:c1:recent'],
    ['SADD', 'channel:c1:members', 'a1'],
    ['SMEMBERS', 'channel:c1:members'],
    ['SISMEMBER', 'channel:c1:members', 'a1'],
    ['INCR', 'ratelimit:message:a1'],
    ['TTL', 'ratelimit:message:a1'],
  ])('may %s %s, of the EPIC’s command reference', async (command, key, ...args) => {
    expect(await cli(hub, command, `openclaw:${key}`, ...args)).not.toMatch(/NOPERM|ERR/);
  });

  it.each([
    'KEYS *',
    'SCAN 0',
    'FLUSHALL',
    'FLUSHDB',
    'CONFIG GET *',
    'CONFIG SET dir /tmp',
    'SHUTDOWN',
    'MONITOR',
    'CLIENT KILL TYPE normal',
    'ACL LIST',
    'REPLICAOF NO ONE',
    'SAVE',
    'MODULE LIST',
    'FUNCTION LIST',
    'SCRIPT FLUSH',
    'RANDOMKEY',
    'MIGRATE h 1 openclaw:x 0 1',
  ])('may not %s', async (command) => {
    expect(await cli(hub, ...command.split(' '))).toMatch(/^NOPERM/);
  });

  it('may not touch a key or a topic of another prefix', async () => {
    for (const command of [
      ['GET', 'staging:channel:c1'],
      ['SET', 'x', '1'],
      ['DEL', 'openclaw-2:typing:c1'],
      ['PUBLISH', 'staging:pubsub:global', 'x'],
      ['SUBSCRIBE', 'staging:pubsub:global'],
      ['PSUBSCRIBE', '*'],
      ['PSUBSCRIBE', 'o*'],
    ]) {
      expect([command, await cli(hub, ...command)]).toEqual([
        command,
        expect.stringMatching(/^NOPERM/),
      ]);
    }
  });

  it('is refused with the password of another user', async () => {
    expect(await cli({ password: 'hub' }, 'PING')).toMatch(/WRONGPASS/);
    expect(await cli({ user: 'default', password: exporter.password }, 'PING')).toMatch(
      /WRONGPASS/,
    );
  });
});

describe('the exporter', () => {
  it('reads the metrics, but neither keys nor settings', async () => {
    expect(await cli(exporter, 'INFO', 'memory')).toContain('used_memory');
    expect(await cli(exporter, 'SLOWLOG', 'GET')).not.toMatch(/NOPERM/);
    expect(await cli(exporter, 'LATENCY', 'LATEST')).not.toMatch(/NOPERM/);
    for (const command of [
      ['GET', keys.channel('c1')],
      ['CONFIG', 'GET', 'masterauth'],
      ['KEYS', '*'],
      ['SLOWLOG', 'RESET'],
      ['PUBLISH', keys.globalTopic, 'x'],
    ]) {
      expect(await cli(exporter, ...command)).toMatch(/^NOPERM/);
    }
  });
});

describe('the administrator', () => {
  it('may do everything', async () => {
    expect(await cli(admin, 'CONFIG', 'GET', 'maxmemory')).toContain(String(4 * 1024 ** 3));
    expect(await cli(admin, 'ACL', 'WHOAMI')).toBe('admin');
  });
});
