import { describe, expect, it } from '@jest/globals';
import { freePort, startCluster, startRedis, waitFor } from '@openclaw/test-support';
import { suiteScope, testScope } from '@openclaw/test-support/scopes';
import { openRedisServers, RedisClientError, type RedisConnection } from './index.ts';

const suite = suiteScope();
const scope = testScope();

async function open(connection: RedisConnection, options = {}) {
  const opened = await openRedisServers(connection, options);
  scope.defer(() => opened.close());
  return opened;
}

async function failureOf(connection: RedisConnection, timeoutMs = 3_000) {
  const error: unknown = await openRedisServers(connection, { timeoutMs }).catch((e: unknown) => e);
  if (!(error instanceof RedisClientError)) throw new Error(`no failure: ${String(error)}`);
  return `${error.code}: ${error.message}`;
}

describe('one server', () => {
  it('answers, each command of a batch for itself', async () => {
    const redis = await suite.use(startRedis());
    const { mode, servers } = await open({ url: redis.url });
    expect([mode, servers.length]).toEqual(['standalone', 1]);
    const [server] = servers;
    expect(server).toMatchObject({ address: `127.0.0.1:${redis.port}`, role: 'master' });
    const replies = await server?.batch([['PING'], ['NOSUCH'], ['ECHO', 'x']]);
    expect(replies).toEqual(['PONG', expect.any(RedisClientError), 'x']);
  });

  it('may be a replica', async () => {
    const master = await scope.use(startRedis({ args: ['--repl-diskless-sync-delay', '0'] }));
    await master.command('SET k v');
    const replica = await scope.use(
      startRedis({ args: ['--replicaof', '127.0.0.1', String(master.port)] }),
    );
    await waitFor(async () => /link_status:up/.test(await replica.command('INFO replication')));
    const { servers } = await open({ url: replica.url });
    expect(servers[0]?.role).toBe('replica');
    await expect(servers[0]?.call(['GET', 'k'])).resolves.toBe('v');
  });

  it('may deny INFO to the user', async () => {
    const redis = await scope.use(startRedis());
    await redis.command('ACL SETUSER narrow on >secret -@all +ping');
    const { servers } = await open({ url: `redis://narrow:secret@127.0.0.1:${redis.port}` });
    expect(servers[0]?.role).toBeNull();
  });
});

describe('a server that cannot be used', () => {
  it('is reported with its reason, without the password', async () => {
    const redis = await scope.use(startRedis());
    await redis.command('ACL SETUSER hub on >secret ~* +@all');
    const url = `redis://hub:wrong-word@127.0.0.1:${redis.port}`;
    const failure = await failureOf({ url });
    expect(failure).toMatch(/WRONGPASS/);
    expect(failure).not.toContain('wrong-word');
    expect(await failureOf({ port: await freePort(), host: '127.0.0.1' })).toMatch(/ECONNREFUSED/);
  });

  it('costs no more than the timeout when it is silent', async () => {
    const redis = await scope.use(startRedis());
    redis.freeze();
    const startMs = performance.now();
    expect(await failureOf({ url: redis.url }, 300)).toMatch(/^timeout/);
    expect(performance.now() - startMs).toBeLessThan(2_000);
    redis.thaw();
  });
});

describe('a Cluster', () => {
  it('is recognised by one node, and read at its masters or at its replicas', async () => {
    const cluster = await scope.use(startCluster());
    // A node may learn of other masters' replicas only after the Cluster is ready.
    await waitFor(async () => {
      const slots = await cluster.servers.at(-1)?.command('CLUSTER SLOTS');
      return cluster.nodes.every(({ port }) => slots?.includes(`:${port}`));
    });
    const roles = async (preferReplicas: boolean) => {
      const url = cluster.servers.at(-1)?.url as string;
      const { mode, servers } = await open({ url }, { preferReplicas });
      const sizes = await Promise.all(servers.map((server) => server.call(['DBSIZE'])));
      expect(sizes).toEqual([0, 0, 0]);
      return [mode, ...servers.map(({ role }) => role)];
    };
    expect(await roles(false)).toEqual(['cluster', 'master', 'master', 'master']);
    expect(await roles(true)).toEqual(['cluster', 'replica', 'replica', 'replica']);
  });
});
