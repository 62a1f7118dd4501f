import { describe, expect, it } from '@jest/globals';
import { createRedisClient, type RedisClientOptions } from './index.ts';
import { retryDelayMs, serverOptions } from './ioredis-options.ts';
import { clientDefaults, resolveConnection, resolveSettings } from './options.ts';
import { parseRedisUrl } from './redis-url.ts';

describe('the options of a client', () => {
  it.each<[string, RedisClientOptions]>([
    ['url', { url: 'http://u:hunter2@host' }],
    ['port', { port: 70_000 }],
    ['db', { db: -1 }],
    ['db', { db: 1, cluster: [{ host: 'a', port: 1 }] }],
    ['sentinels', { sentinels: [] }],
    ['sentinels[0].port', { sentinels: [{ host: 'a', port: 0 }] }],
    ['cluster[0].host', { cluster: [{ host: '', port: 1 }] }],
    [
      'sentinels and cluster',
      { sentinels: [{ host: 'a', port: 1 }], cluster: [{ host: 'a', port: 1 }] },
    ],
    ['commandTimeoutMs', { commandTimeoutMs: 0 }],
    ['heartbeatMs', { heartbeatMs: 1.5 }],
    ['retryMaxMs', { retryMaxMs: 501 }],
  ])('are refused at creation, naming %s', (name, options) => {
    const create = () => createRedisClient(options);
    expect(create).toThrow(
      expect.objectContaining({ code: 'invalid_options', message: expect.stringContaining(name) }),
    );
    expect(create).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
    );
  });

  it('take the parts of a URL first, and the rest from the fields', () => {
    const resolved = resolveConnection({
      url: 'rediss://u:p@url:7000',
      host: 'field',
      port: 1,
      password: 'x',
      db: 2,
    });
    expect(resolved).toMatchObject({
      mode: 'standalone',
      node: { host: 'url', port: 7000 },
      username: 'u',
      password: 'p',
      db: 2,
      tls: {},
    });
    expect(resolveConnection({}).node).toEqual({ host: 'localhost', port: 6379 });
  });

  it('use the TLS settings of the server for the sentinels too, unless these have their own', () => {
    const sentinels = [{ host: 's', port: 26379 }];
    expect(resolveConnection({ sentinels, tls: true }).sentinelTls).toEqual({});
    expect(
      resolveConnection({ sentinels, tls: true, sentinelTls: false }).sentinelTls,
    ).toBeUndefined();
    expect(resolveConnection({ sentinels }).sentinelTls).toBeUndefined();
  });

  it.each(['', 'redis', 'redis://host/db', 'redis://host:99999', 'redis://%zz@host'])(
    'treat %j as no Redis URL',
    (url) => {
      expect(parseRedisUrl(url)).toHaveProperty('problem');
    },
  );
});

describe('the profile of a connection', () => {
  it('queues nothing and resends nothing', () => {
    const connection = resolveConnection({ sentinels: [{ host: 's', port: 26379 }] });
    expect(serverOptions(connection, clientDefaults)).toMatchObject({
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      enableReadyCheck: true,
      failoverDetector: true,
      commandTimeout: 1000,
      connectTimeout: 1000,
      name: 'openclaw',
    });
  });

  it('retries without end, after 25 to 500 ms, with jitter', () => {
    for (const random of [() => 0, () => 0.999]) {
      const settings = resolveSettings({ random });
      const delays = Array.from({ length: 10_000 }, (_, index) =>
        retryDelayMs(index + 1, settings),
      );
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(25);
      expect(Math.max(...delays)).toBeLessThanOrEqual(500);
    }
    expect(retryDelayMs(9, resolveSettings({ random: () => 0 }))).toBe(250);
    expect(retryDelayMs(9, resolveSettings({ random: () => 0.5 }))).toBe(375);
  });

  it('reconnects on READONLY, and on no other error', () => {
    const { reconnectOnError } = serverOptions(resolveConnection({}), clientDefaults);
    expect(
      reconnectOnError?.(new Error("READONLY You can't write against a read only replica.")),
    ).toBe(true);
    expect(reconnectOnError?.(new Error('WRONGTYPE Operation against a key'))).toBe(false);
  });
});
