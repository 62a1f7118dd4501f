import { describe, expect, it } from '@jest/globals';
import { parseRedisEnvironment, RedisClientError } from './index.ts';

const local = { host: 'localhost', port: 6379, db: 0 };

describe('parseRedisEnvironment', () => {
  it.each<[string, Record<string, string>, object | null]>([
    ['nothing set is null', {}, null],
    ['empty is unset', { REDIS_HOST: '', REDIS_PORT: ' ', CHAT_REDIS_PASSWORD: '' }, null],
    [
      "the EPIC's own .env",
      {
        REDIS_HOST: 'localhost',
        REDIS_PORT: '6379',
        REDIS_PASSWORD: 'optional_password',
        REDIS_DB: '0',

        CHAT_REDIS_HOST: 'localhost',
        CHAT_REDIS_PORT: '6379',
        CHAT_REDIS_PASSWORD: '',
        CHAT_REDIS_DB: '0',

        CHAT_REDIS_TLS: 'false',
      },
      { ...local, password: 'optional_password' },
    ],
    ['a host alone', { REDIS_HOST: 'cache' }, { ...local, host: 'cache' }],
    ['a port alone', { REDIS_PORT: '7000' }, { ...local, port: 7000 }],
    [
      'CHAT_ overrides one by one',
      {
        REDIS_HOST: 'a',
        REDIS_PORT: '1',
        REDIS_PASSWORD: 'p',
        REDIS_DB: '2',
        CHAT_REDIS_HOST: 'b',
        CHAT_REDIS_DB: '3',
      },
      { host: 'b', port: 1, password: 'p', db: 3 },
    ],
    [
      'a URL beats the host values of its level',
      {
        REDIS_URL: 'redis://u:p%40ss@url:7000/5',
        REDIS_HOST: 'a',
        REDIS_PORT: '1',
        REDIS_PASSWORD: 'x',
        REDIS_DB: '2',
      },
      { host: 'url', port: 7000, username: 'u', password: 'p@ss', db: 5, tls: false },
    ],
    [
      'what a URL does not name comes from its level',
      { REDIS_URL: 'redis://url', REDIS_PORT: '1', REDIS_PASSWORD: 'x', REDIS_DB: '2' },
      { host: 'url', port: 6379, password: 'x', db: 2 },
    ],
    [
      'a CHAT_ host value beats a URL of the level below',
      { REDIS_URL: 'redis://u:p@url:7000/5', CHAT_REDIS_HOST: 'b', CHAT_REDIS_PASSWORD: 'q' },
      { host: 'b', port: 7000, username: 'u', password: 'q', db: 5 },
    ],
    [
      'a CHAT_ URL beats everything below, and brings its own user',
      {
        REDIS_URL: 'redis://u:p@url:7000/5',
        REDIS_HOST: 'a',
        CHAT_REDIS_HOST: 'b',
        CHAT_REDIS_URL: 'rediss://:q@chat/1',
      },
      { host: 'chat', port: 6379, password: 'q', db: 1, tls: true },
    ],
    [
      'TLS by switch',
      { CHAT_REDIS_HOST: 'b', CHAT_REDIS_TLS: 'true' },
      { ...local, host: 'b', tls: true },
    ],
    [
      'TLS by URL',
      { REDIS_URL: 'rediss://b:6380' },
      { ...local, host: 'b', port: 6380, tls: true },
    ],
    [
      'TLS switched off above a URL',
      { REDIS_URL: 'rediss://b', CHAT_REDIS_TLS: 'no' },
      { ...local, host: 'b' },
    ],
    [
      'TLS is never lost to a URL that lacks a letter',
      { CHAT_REDIS_URL: 'redis://b', CHAT_REDIS_TLS: 'true' },
      { ...local, host: 'b', tls: true },
    ],
    ['an IPv6 host', { REDIS_URL: 'redis://[::1]:7000' }, { ...local, host: '::1', port: 7000 }],
    [
      'sentinels',
      {
        CHAT_REDIS_SENTINELS: 's1:26379, s2:26380',
        CHAT_REDIS_SENTINEL_NAME: 'chat',
        REDIS_PASSWORD: 'p',
      },
      {
        ...local,
        password: 'p',
        sentinels: [
          { host: 's1', port: 26379 },
          { host: 's2', port: 26380 },
        ],
        sentinelName: 'chat',
      },
    ],
    [
      'a cluster by its nodes',
      { CHAT_REDIS_CLUSTER: 'c1:7000,[::1]:7001' },
      {
        ...local,
        cluster: [
          { host: 'c1', port: 7000 },
          { host: '::1', port: 7001 },
        ],
      },
    ],
    [
      'a cluster by the host that is set',
      { REDIS_HOST: 'c1', REDIS_PORT: '7000', CHAT_REDIS_CLUSTER: 'true' },
      { ...local, host: 'c1', port: 7000, cluster: [{ host: 'c1', port: 7000 }] },
    ],
    ['no cluster', { REDIS_HOST: 'c1', CHAT_REDIS_CLUSTER: 'false' }, { ...local, host: 'c1' }],
    ['a password with spaces around it', { REDIS_PASSWORD: ' p ' }, { ...local, password: ' p ' }],
  ])('%s', (_title, env, expected) => {
    const parsed = parseRedisEnvironment(env);
    expect(parsed && { tls: undefined, ...parsed }).toEqual(
      expected && { ...expected, tls: (expected as { tls?: boolean }).tls || undefined },
    );
  });

  it.each([
    ['REDIS_PORT', { REDIS_PORT: 'tcp://10.0.0.1:6379' }],
    ['REDIS_PORT', { REDIS_PORT: '0' }],
    ['CHAT_REDIS_PORT', { REDIS_PORT: '1', CHAT_REDIS_PORT: '65536' }],
    ['CHAT_REDIS_DB', { CHAT_REDIS_DB: '-1' }],
    ['REDIS_URL', { REDIS_URL: 'http://user:hunter2@host' }],
    ['CHAT_REDIS_URL', { CHAT_REDIS_URL: 'redis://user:hunter2@host:nonsense' }],
    ['CHAT_REDIS_URL', { CHAT_REDIS_URL: 'redis://user:hunter2@host/zero' }],
    ['CHAT_REDIS_URL', { CHAT_REDIS_URL: 'redis://user:hunter2%zz@host' }],
    ['CHAT_REDIS_TLS', { REDIS_HOST: 'a', CHAT_REDIS_TLS: 'perhaps' }],
    ['CHAT_REDIS_SENTINELS', { CHAT_REDIS_SENTINELS: 's1,s2' }],
    ['CHAT_REDIS_CLUSTER', { CHAT_REDIS_CLUSTER: 'c1:0' }],
    ['CHAT_REDIS_CLUSTER', { CHAT_REDIS_CLUSTER: 'c1:7000', CHAT_REDIS_SENTINELS: 's1:26379' }],
    ['REDIS_DB', { REDIS_DB: '1', CHAT_REDIS_CLUSTER: 'c1:7000' }],
  ])('names %s when it cannot be read, and prints no password', (name, env) => {
    const read = () => parseRedisEnvironment({ REDIS_PASSWORD: 'hunter2', ...env });
    expect(read).toThrow(RedisClientError);
    expect(read).toThrow(
      expect.objectContaining({
        code: 'invalid_options',
        message: expect.stringMatching(`^${name} `),
      }),
    );
    expect(read).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
    );
  });
});
