import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
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
    [
      'a user by name, which a CHAT_ name overrides',
      { REDIS_USERNAME: 'all', CHAT_REDIS_USERNAME: 'chat', REDIS_PASSWORD: 'p' },
      { ...local, username: 'chat', password: 'p' },
    ],
    ['a Unix socket by host', { REDIS_HOST: '/run/r.sock' }, { ...local, host: '/run/r.sock' }],
    [
      'a Unix socket by URL',
      { REDIS_URL: 'unix://u:p%2F@/run/r.sock?db=2' },
      { ...local, host: '/run/r.sock', username: 'u', password: 'p/', db: 2 },
    ],
    ['valkey', { REDIS_URL: 'valkey://b:7000' }, { ...local, host: 'b', port: 7000 }],
    ['valkey over TLS', { REDIS_URL: 'valkeys://b' }, { ...local, host: 'b', tls: true }],
    ['a family', { REDIS_URL: 'redis://b/1?family=6' }, { ...local, host: 'b', db: 1, family: 6 }],
    [
      'no family of a URL that another URL overrides',
      { REDIS_URL: 'redis://b?family=6', CHAT_REDIS_URL: 'redis://c' },
      { ...local, host: 'c' },
    ],
    [
      'a raw @ in a password',
      { REDIS_URL: 'redis://:p@ss@b' },
      { ...local, host: 'b', password: 'p@ss' },
    ],
    [
      'the user of the sentinels, and their TLS',
      {
        CHAT_REDIS_SENTINELS: 's1:26379',
        CHAT_REDIS_SENTINEL_USERNAME: 'u',
        CHAT_REDIS_SENTINEL_PASSWORD: 'p',
        CHAT_REDIS_SENTINEL_TLS: 'false',
      },
      {
        ...local,
        sentinels: [{ host: 's1', port: 26379 }],
        sentinelUsername: 'u',
        sentinelPassword: 'p',
        sentinelTls: false,
      },
    ],
    [
      'mapped addresses',
      { REDIS_HOST: 'a', CHAT_REDIS_NAT_MAP: '10.0.0.1:1=a:2, [::1]:3=[::2]:4' },
      {
        ...local,
        host: 'a',
        natMap: { '10.0.0.1:1': { host: 'a', port: 2 }, '::1:3': { host: '::2', port: 4 } },
      },
    ],
    [
      'the pause between pings',
      { REDIS_HOST: 'a', CHAT_REDIS_HEARTBEAT_MS: '5000' },
      { ...local, host: 'a', heartbeatMs: 5000 },
    ],
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
    ['REDIS_URL', { REDIS_URL: 'redis://host:6379?hunter2' }],
    ['REDIS_URL', { REDIS_URL: 'redis://host:6379?timeout=5' }],
    ['REDIS_URL', { REDIS_URL: 'redis://host#hunter2' }],
    ['REDIS_URL', { REDIS_URL: 'redis://host?family=5' }],
    ['REDIS_URL', { REDIS_URL: 'unix://host/run/r.sock' }],
    ['CHAT_REDIS_TLS', { REDIS_HOST: '/run/r.sock', CHAT_REDIS_TLS: 'true' }],
    ['CHAT_REDIS_CLUSTER', { REDIS_HOST: '/run/r.sock', CHAT_REDIS_CLUSTER: 'true' }],
    ['CHAT_REDIS_NAT_MAP', { CHAT_REDIS_NAT_MAP: '10.0.0.1=a:1' }],
    ['CHAT_REDIS_HEARTBEAT_MS', { CHAT_REDIS_HEARTBEAT_MS: '60001' }],
    ['CHAT_REDIS_HEARTBEAT_MS', { CHAT_REDIS_HEARTBEAT_MS: '1' }],
    ['REDIS_PASSWORD_FILE', { REDIS_PASSWORD_FILE: '/etc/hostname' }],
    ['CHAT_REDIS_PASSWORD_FILE', { CHAT_REDIS_PASSWORD_FILE: '/no/hunter2' }],
    ['CHAT_REDIS_PASSWORD_FILE', { CHAT_REDIS_PASSWORD_FILE: '/dev/zero' }],
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

  // Users paste generated passwords into URLs unchanged.
  it.each([
    'redis://:hunter2/b+c==@host:6379',
    'redis://user:1/hunter2@host',
    'redis://user:6379#hunter2@host',
    'redis://user:6379?hunter2@host',
    'redis://user:hunter2%@host',
    'unix://user:hunter2%@/run/r.sock',
  ])('says how to write the password of %s, and prints no part of it', (REDIS_URL) => {
    const read = () => parseRedisEnvironment({ REDIS_URL });
    expect(read).toThrow(
      /^REDIS_URL cannot be read: write \/ as %2F, @ as %40.*set the password separately/,
    );
    expect(read).toThrow(
      expect.not.objectContaining({ message: expect.stringMatching(/hunter2|user:|host/) }),
    );
  });

  it('reads a password and a URL from files, without their last line break', async () => {
    await using folder = await temporaryFolder('secrets');
    const file = join(folder.path, 'secret');
    await writeFile(file, 'redis://:a%20b@host\r\n');
    expect(parseRedisEnvironment({ CHAT_REDIS_URL_FILE: file })).toMatchObject({
      host: 'host',
      password: 'a b',
    });
    await writeFile(file, ' p/w@x \n');
    expect(parseRedisEnvironment({ REDIS_PASSWORD_FILE: file })).toMatchObject({
      password: ' p/w@x ',
    });
  });
});
