import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import {
  freePort,
  randomPrefix,
  startProcess,
  startRedis,
  startTcpProxy,
  temporaryFolder,
  waitFor,
  type RedisServer,
} from '@openclaw/test-support';
import { Cluster } from 'ioredis';
import { openRedisServers, parseRedisEnvironment } from './index.ts';
import { clientsOfTest, untilUp } from './testing/clients.ts';

const clients = clientsOfTest();

async function startOneNode(...args: string[]): Promise<RedisServer> {
  const server = await startRedis({
    args: [
      ...['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
      ...['--cluster-announce-ip', '127.0.0.1', ...args],
    ],
  });
  await server.command('CLUSTER ADDSLOTSRANGE 0 16383');
  await waitFor(async () => (await server.command('CLUSTER INFO')).includes('cluster_state:ok'));
  return server;
}

async function expectUsable(redis: Awaited<ReturnType<typeof clients.connect>>, isCluster = false) {
  const topic = createKeySchema({ prefix: randomPrefix(), hashTags: isCluster }).channelTopic('x');
  const heard: string[] = [];
  await redis.subscriber.subscribe(topic, (message) => heard.push(message));
  await redis.send([isCluster ? 'SPUBLISH' : 'PUBLISH', topic, 'hello']);
  await waitFor(() => heard.length === 1);
  expect(await redis.health()).toMatchObject({ status: 'ok' });
}

describe('a Unix socket', () => {
  it.each(['REDIS_HOST', 'REDIS_URL'])('connects by %s', async (name) => {
    await using folder = await temporaryFolder('socket');
    const path = join(folder.path, 'redis.sock');
    const server = await startRedis({ args: ['--unixsocket', path, '--databases', '4'] });
    await using _stopped = server;
    const env =
      name === 'REDIS_HOST'
        ? { REDIS_HOST: path, REDIS_DB: '3' }
        : { REDIS_URL: `unix://${path}?db=3` };
    const connection = parseRedisEnvironment(env)!;
    const redis = await clients.connect(connection);
    await expectUsable(redis);
    expect(await redis.send(['CLIENT', 'LIST'])).toMatch(/laddr=\S*redis\.sock.* db=3 /);
    const tools = await openRedisServers(connection);
    expect(tools.servers).toMatchObject([{ address: path, role: 'master' }]);
    tools.close();
  });
});

describe('an address family', () => {
  it('decides to which address a name is resolved', async () => {
    await using server = await startRedis();
    const url = (family: number) => `valkey://localhost:${server.port}?family=${family}`;
    await expectUsable(await clients.connect(parseRedisEnvironment({ REDIS_URL: url(4) })!));
    // Negative control: the server does not listen on IPv6.
    const other = clients.open(parseRedisEnvironment({ REDIS_URL: url(6) })!);
    expect(await other.ready()).toBe(false);
  });
});

describe('a Redis whose INFO is renamed away', () => {
  const withoutInfo = ['--rename-command', 'INFO', ''];

  it('is used, alone', async () => {
    await using server = await startRedis({ args: withoutInfo });
    const redis = await clients.connect({ url: server.url });
    await expectUsable(redis);
    expect(await redis.health()).toMatchObject({ role: null, runId: null, usedMemoryBytes: null });
    const tools = await openRedisServers({ url: server.url });
    expect(tools.servers).toMatchObject([{ role: null }]);
    tools.close();
  });

  it('is used, as a Cluster, and again after its restart', async () => {
    await using server = await startOneNode(...withoutInfo);
    const cluster = [{ host: '127.0.0.1', port: server.port }];
    const redis = await clients.connect({ cluster });
    await expectUsable(redis, true);
    const tools = await openRedisServers({ cluster });
    expect(tools).toMatchObject({ mode: 'cluster', servers: [{ role: null }] });
    tools.close();
    await server.command('CLIENT KILL TYPE normal');
    await server.command('CLIENT KILL TYPE pubsub');
    await waitFor(() => !redis.available);
    await untilUp(redis);
  });
});

describe('a Cluster behind address translation', () => {
  it('is reached at the mapped addresses', async () => {
    const outside = await freePort();
    await using server = await startOneNode('--cluster-announce-port', String(outside));
    await using proxy = await startTcpProxy(server.port);
    const env = {
      REDIS_PORT: String(proxy.port),
      CHAT_REDIS_HOST: '127.0.0.1',
      CHAT_REDIS_CLUSTER: 'true',
    };
    // Negative control: without the map, the announced address is unreachable.
    const lost = clients.open(parseRedisEnvironment(env)!);
    expect(await lost.ready()).toBe(false);
    await waitFor(async () => {
      const error = await lost.send(['PING']).catch((thrown: unknown) => thrown);
      return String(error).includes(`127.0.0.1:${outside}: connect ECONNREFUSED`);
    });
    const connection = parseRedisEnvironment({
      ...env,
      CHAT_REDIS_NAT_MAP: `127.0.0.1:${outside}=127.0.0.1:${proxy.port}`,
    })!;
    await expectUsable(await clients.connect(connection), true);
    const tools = await openRedisServers(connection);
    expect(tools.servers).toMatchObject([{ address: `127.0.0.1:${proxy.port}` }]);
    tools.close();
  });
});

describe('sentinels with a password of their own', () => {
  it('name the master, whose address is mapped', async () => {
    await using master = await startRedis({
      args: ['--requirepass', 'of-the-master', '--masterauth', 'of-the-master'],
      password: 'of-the-master',
    });
    await using proxy = await startTcpProxy(master.port);
    await using folder = await temporaryFolder('sentinel');
    const port = await freePort();
    const file = join(folder.path, 'sentinel.conf');
    await writeFile(
      file,
      [
        `port ${port}`,
        'bind 127.0.0.1',
        'requirepass of-the-sentinel',
        `sentinel monitor openclaw 127.0.0.1 ${master.port} 1`,
        'sentinel auth-pass openclaw of-the-master',
      ].join('\n'),
    );
    const secretFile = join(folder.path, 'password');
    await writeFile(secretFile, 'of-the-sentinel\n');
    const sentinel = startProcess('redis-server', [file, '--sentinel']);
    const env = {
      REDIS_PASSWORD: 'of-the-master',
      CHAT_REDIS_SENTINELS: `127.0.0.1:${port}`,
      CHAT_REDIS_NAT_MAP: `127.0.0.1:${master.port}=127.0.0.1:${proxy.port}`,
    };
    try {
      const redis = await clients.connect(
        parseRedisEnvironment({ ...env, CHAT_REDIS_SENTINEL_PASSWORD_FILE: secretFile })!,
      );
      await expectUsable(redis);
      expect(proxy.accepted).toBeGreaterThan(0);
      // Negative control: without the sentinel's password, the error has the sentinel's answer.
      const refused = clients.open(parseRedisEnvironment(env)!);
      await waitFor(async () =>
        String(await refused.send(['PING']).catch((thrown: unknown) => thrown)).includes('NOAUTH'),
      );
    } finally {
      await sentinel.stop('SIGKILL');
    }
  });
});

describe('a borrowed Cluster', () => {
  // A connection stays silent if the network route is lost while it opens. ioredis alone would wait until the operating
  // system gives up, so the client limits each node's handshake to `commandTimeoutMs`.
  it('comes back after the handshake of one node got no answer', async () => {
    const [outside, busPort] = [await freePort(), await freePort()];
    const args = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'];
    await using first = await startRedis({
      args: [...args, '--cluster-port', String(await freePort())],
    });
    await using second = await startRedis({
      args: [...args, '--cluster-port', String(busPort), '--cluster-announce-port', `${outside}`],
    });
    await first.command('CLUSTER ADDSLOTSRANGE 0 8191');
    await second.command('CLUSTER ADDSLOTSRANGE 8192 16383');
    await first.command(`CLUSTER MEET 127.0.0.1 ${second.port} ${busPort}`);
    for (const server of [first, second])
      await waitFor(async () => {
        const info = await server.command('CLUSTER INFO');
        return /cluster_state:ok/.test(info) && /cluster_slots_ok:16384/.test(info);
      });
    await using proxy = await startTcpProxy(second.port);
    const open = () => {
      const cluster = new Cluster([{ host: '127.0.0.1', port: first.port }], {
        natMap: { [`127.0.0.1:${outside}`]: { host: '127.0.0.1', port: proxy.port } },
      });
      cluster.on('error', () => undefined);
      return cluster;
    };
    const proxied = (cluster: Cluster) =>
      cluster.nodes('all').find(({ options }) => options.port === proxy.port);
    const [theirs, control] = [open(), open()];
    try {
      const redis = await clients.connect({ connection: theirs, commandTimeoutMs: 300 });
      await waitFor(() => control.status === 'ready');
      proxy.stall();
      proxied(theirs)?.stream.destroy();
      await waitFor(() => !redis.available);
      await waitFor(() => proxied(theirs)?.status === 'connect');
      // Negative control: ioredis without our client. It must reconnect too, and get no answer to its handshake.
      if (proxied(control)?.status === 'ready') proxied(control)?.stream.destroy();
      await waitFor(() => {
        const node = proxied(control);
        if (!node) control.refreshSlotsCache();
        if (node?.status === 'wait') node.connect().catch(() => undefined);
        return node?.status === 'connect';
      });
      proxy.abandon();
      await waitFor(() => redis.available);
      expect(
        await redis.pipeline([
          ['GET', 'a'],
          ['GET', 'b'],
        ]),
      ).toEqual([null, null]);
      expect(proxied(control)?.status).toBe('connect');
    } finally {
      theirs.disconnect();
      control.disconnect();
    }
  });
});
