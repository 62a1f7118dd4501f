import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisClient, type RedisClient } from '@openclaw/redis-client';
import { freePort, waitFor } from '@openclaw/test-support';
import { readFile } from 'node:fs/promises';
import { parseConf } from './conf-file.ts';
import { redisCli } from './redis-cli.ts';
import { readText } from './repository.ts';
import { runStartScript, startByScript, type StartedScript } from './start-script.ts';

const host = '127.0.0.1';
const hub = { password: 'hub-secret' };
const admin = { user: 'admin', password: 'admin-secret' };
const keys = createKeySchema();

let nodePorts: number[];
let sentinelPorts: number[];
let nodes: StartedScript[] = [];
let sentinels: StartedScript[] = [];

const environment = (port: number) => ({
  REDIS_PASSWORD: hub.password,
  REDIS_REPLICATION_PASSWORD: 'replication-secret',
  REDIS_ADMIN_PASSWORD: admin.password,
  REDIS_SENTINELS: sentinelPorts.map((each) => `${host}:${each}`).join(','),
  REDIS_FIRST_MASTER: `${host}:${nodePorts[0]}`,
  REDIS_ANNOUNCE: `${host}:${port}`,
});
const startNode = (port: number) => startByScript('prod', environment(port), { port });
const startSentinel = (port: number) => startByScript('sentinel', environment(port), { port });

const replication = async (port: number) => redisCli(port, ['INFO', 'replication'], admin);
const namedMaster = async (sentinelPort: number) => {
  const reply = await redisCli(sentinelPort, ['SENTINEL', 'get-master-addr-by-name', 'openclaw']);
  return Number(reply.split('\n')[1]);
};
const freePorts = () => Promise.all([freePort(), freePort(), freePort()]);

beforeAll(async () => {
  nodePorts = await freePorts();
  sentinelPorts = await freePorts();
  nodes = await Promise.all(nodePorts.map(startNode));
  sentinels = await Promise.all(sentinelPorts.map(startSentinel));
  await waitFor(
    async () => {
      const infos = await Promise.all(
        sentinelPorts.map((port) => redisCli(port, ['INFO', 'sentinel'])),
      );
      return infos.every((info) => info.includes('slaves=2,sentinels=3'));
    },
    { what: 'sentinels that know all nodes and one another', timeoutMs: 25_000, everyMs: 100 },
  );
}, 60_000);
afterAll(async () => {
  await Promise.all([...nodes, ...sentinels].map((each) => each.stop()));
});

describe('nodes started side by side', () => {
  it('have the first as their master, and replicas with their own users', async () => {
    const [first = 0, ...others] = nodePorts;
    expect(await replication(first)).toMatch(/role:master/);
    for (const port of others) {
      const info = await replication(port);
      expect(info).toMatch(/role:slave/);
      expect(info).toMatch(/master_link_status:up/);
    }
  });
});

describe('sentinel.conf', () => {
  it('gives every line a reason', async () => {
    const directives = parseConf(await readText('infra/sentinel/sentinel.conf'));
    expect(directives.length).toBeGreaterThan(8);
    expect(directives.filter(({ reason }) => reason.length < 10)).toEqual([]);
  });

  it('is what the sentinels run with', async () => {
    for (const port of sentinelPorts) {
      const lines = (await redisCli(port, ['SENTINEL', 'MASTER', 'openclaw'])).split('\n');
      const value = (name: string) => lines[lines.indexOf(name) + 1];
      expect({
        quorum: value('quorum'),
        downAfter: value('down-after-milliseconds'),
        timeout: value('failover-timeout'),
        parallel: value('parallel-syncs'),
      }).toEqual({ quorum: '2', downAfter: '3000', timeout: '10000', parallel: '1' });
    }
  });

  it.each([
    'SENTINEL SET openclaw quorum 1',
    'SENTINEL MONITOR evil 127.0.0.1 1 1',
    'SENTINEL REMOVE openclaw',
    'SENTINEL RESET *',
    'SENTINEL FAILOVER openclaw',
    'SENTINEL CONFIG SET resolve-hostnames no',
    'SHUTDOWN',
    'ACL LIST',
  ])('lets nobody %s', async (command) => {
    expect(await redisCli(sentinelPorts[0] ?? 0, command.split(' '))).toMatch(/^NOPERM/);
  });
});

describe('a failover', () => {
  let client: RedisClient;
  beforeAll(async () => {
    client = createRedisClient({
      sentinels: sentinelPorts.map((port) => ({ host, port })),
      password: hub.password,
    });
    await waitFor(() => client.available && client.subscriber.connected, {
      what: 'the connection through Sentinel',
    });
  });
  afterAll(() => client.close());

  it('moves the hub’s client and its subscriptions to the new master', async () => {
    const heard: string[] = [];
    await client.subscriber.subscribe(keys.channelTopic('c1'), (message) => heard.push(message));
    await client.send(['SET', keys.channel('c1'), 'before']);
    const { runId } = await client.health();

    const [oldMaster = 0] = nodePorts;
    await nodes[0]?.process.stop('SIGKILL');
    const newMaster = await waitFor(
      async () => {
        const [named, ...others] = await Promise.all(sentinelPorts.map(namedMaster));
        return named !== oldMaster && others.every((other) => other === named) && named;
      },
      { what: 'another master, named by all sentinels', timeoutMs: 20_000, everyMs: 50 },
    );
    await waitFor(async () => client.available && (await client.health()).runId !== runId, {
      what: 'the client on the new master',
      timeoutMs: 5_000,
      everyMs: 50,
    });

    // ioredis reconnects once for each sentinel that announces the failover, and rejects commands during each
    // reconnect.
    await waitFor(
      () =>
        client.send(['SET', keys.channel('c1'), 'after']).then(
          () => true,
          () => false,
        ),
      { what: 'a write', timeoutMs: 5_000, everyMs: 50 },
    );
    expect(await redisCli(newMaster, ['GET', keys.channel('c1')], hub)).toBe('after');
    await waitFor(
      async () => {
        await redisCli(newMaster, ['PUBLISH', keys.channelTopic('c1'), 'heard again'], hub);
        return heard.includes('heard again');
      },
      { what: 'a message from the new master', timeoutMs: 5_000, everyMs: 50 },
    );
  }, 40_000);

  it('lasts: the old master returns as a replica of the new one', async () => {
    const [port = 0] = nodePorts;
    nodes.push(await startNode(port));
    await waitFor(
      async () => {
        const info = await replication(port);
        return /role:slave/.test(info) && /master_link_status:up/.test(info);
      },
      { what: 'the old master as a replica', timeoutMs: 15_000, everyMs: 100 },
    );
    expect(await redisCli(port, ['GET', keys.channel('c1')], hub)).toBe('after');
  });

  it('lasts for a sentinel that restarts without its state', async () => {
    const [port = 0, other = 0] = sentinelPorts;
    await sentinels[0]?.stop();
    sentinels[0] = await startSentinel(port);
    const newMaster = await namedMaster(other);
    expect(newMaster).not.toBe(nodePorts[0]);
    expect(await namedMaster(port)).toBe(newMaster);
  }, 20_000);
});

describe('start.sh', () => {
  it.each([
    ['prod', {}, 'REDIS_PASSWORD is not set'],
    ['prod', { REDIS_PASSWORD: 'has space' }, 'may hold letters'],
    [
      'prod',
      { REDIS_PASSWORD: 'x', REDIS_SENTINELS: 's:1' },
      'REDIS_REPLICATION_PASSWORD is not set',
    ],
    ['sentinel', { REDIS_SENTINELS: 's:1' }, 'REDIS_REPLICATION_PASSWORD is not set'],
    ['other', {}, 'say dev, prod, sentinel or cluster'],
  ])('refuses %s with %j and says why', async (mode, given, reason) => {
    const started = await runStartScript(mode, given);
    expect(await started.process.exited).toBe(1);
    expect(started.process.output()).toContain(reason);
    await started.stop();
  });

  it('leaves no secret in the environment or the arguments of the server', async () => {
    for (const { process } of [...nodes.slice(1), ...sentinels]) {
      const [environ, cmdline] = await Promise.all(
        ['environ', 'cmdline'].map((file) => readFile(`/proc/${process.pid}/${file}`, 'utf8')),
      );
      expect(environ).not.toMatch(/-secret/);
      expect(cmdline).not.toMatch(/-secret/);
    }
  });

  it('needs a password in dev mode only if one is set', async () => {
    const open = await startByScript('dev', {});
    expect(await redisCli(open.port, ['PING'])).toBe('PONG');
    await open.stop();
    const closed = await startByScript('dev', { REDIS_PASSWORD: 'optional_password' });
    expect(await redisCli(closed.port, ['PING'])).toMatch(/^NOAUTH/);
    expect(await redisCli(closed.port, ['KEYS', '*'], { password: 'optional_password' })).toBe('');
    await closed.stop();
  });
});
