import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  connectAgent,
  freePort,
  redisCommand,
  startChatTraffic,
  startHub,
  startCluster,
  startRedis,
  temporaryFolder,
  waitFor,
  type HubProcess,
  type RedisServer,
} from '@openclaw/test-support';
import { suiteScope, testScope } from '@openclaw/test-support/scopes';
import { runCommand } from '../testing/run-command.ts';
import type { AuditReport } from './audit.ts';

const wellSet = ['--maxmemory', '200mb', '--maxmemory-policy', 'allkeys-lru'];

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCommand('audit/main', args, env);

async function auditOf(
  url: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<AuditReport & { code: number | null }> {
  const { code, stdout, stderr } = await run(
    ['--url', url, '--recheck', '0', '--rate', '100000', '--json', ...args],
    env,
  );
  if (code === 2) throw new Error(stderr);
  return { ...(JSON.parse(stdout) as AuditReport), code };
}

const found = ({ findings }: AuditReport) =>
  findings.map(({ check, subject }) => `${check}: ${subject}`);
const textsOf = ({ findings }: AuditReport) =>
  findings.flatMap(({ samples }) => samples.map(({ key, text }) => `${key ?? ''} ${text}`.trim()));

const suite = suiteScope();
const scope = testScope();

describe('a Redis that hubs use under load', () => {
  let redis: RedisServer;
  let hub: HubProcess;
  beforeAll(async () => {
    redis = await suite.use(startRedis({ args: [...wellSet, '--repl-diskless-sync-delay', '0'] }));
    const folder = await suite.use(temporaryFolder('audit'));
    const env = { REDIS_URL: redis.url, HUB_DB_URL: `sqlite:${folder.path}/hub.sqlite` };
    hub = await suite.use(startHub({ env }));
    const other = await suite.use(startHub({ env }));
    const traffic = await suite.use(startChatTraffic([hub, other], { everyMs: 5 }));
    // The calls of this socket create the keys for typing, presence with a state, caches and rate limits.
    const socket = await connectAgent(hub, 'visitor');
    suite.defer(() => socket.close());
    const [channelId] = traffic.channels as [string];
    await socket.call('channel.create', { channelId: 'attic', name: 'attic' });
    await socket.call('channel.join', { channelId });
    await socket.call('subscribe', { topics: [{ channelId }] });
    await socket.call('presence.set', { status: 'dnd', customStatus: 'Reads', avatar: '🤖' });
    await socket.call('typing.start', { channelId });
    for (const method of ['message.history', 'channel.get', 'member.list', 'presence.list'])
      await socket.call(method, { channelId });
    await traffic.moreAcks(500);
  }, 60_000);

  it('is clean, while they use it', async () => {
    // The default options check possible orphans again after 12 s, because hubs repair them by then.
    const { code, stdout, stderr } = await run(['--url', redis.url, '--json']);
    const report = JSON.parse(stdout) as AuditReport;
    expect({ code, findings: report.findings, stderr }).toEqual({
      code: 0,
      findings: [],
      stderr: '',
    });
    const kinds = report.kinds.map(({ pattern }) => pattern);
    for (const pattern of ['presence:{channelId}:{agentId}', 'roster:{channelId}', 'log:latest'])
      expect(kinds).toContain(pattern);
    expect(kinds.length).toBeGreaterThanOrEqual(7);
  }, 60_000);

  it('is clean on its replica too, which is only read', async () => {
    const replica = await scope.use(
      startRedis({ args: [...wellSet, '--replicaof', '127.0.0.1', String(redis.port)] }),
    );
    await waitFor(async () => /link_status:up/.test(await replica.command('INFO replication')), {
      timeoutMs: 20_000,
    });
    const report = await auditOf(replica.url, ['--recheck', '12']);
    expect(report).toMatchObject({ code: 0, findings: [], servers: [{ role: 'replica' }] });
    expect(report.keys).toBeGreaterThan(10);
  }, 60_000);

  it('shows a table to people', async () => {
    const { code, stdout } = await run(['--url', redis.url, '--rate', '100000']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^server +role +Redis +keys$/m);
    expect(stdout).toMatch(/^roster:\{channelId\} +\d+ +[\d.]+ \w+/m);
    expect(stdout).toContain('✓ clean');
    expect(stdout).not.toContain('\x1b');
  }, 60_000);

  it('takes its address from the environment of the hub', async () => {
    const env = { CHAT_REDIS_PORT: String(redis.port), CHAT_REDIS_HOST: '127.0.0.1' };
    const { stdout } = await run(['--rate', '100000'], env);
    expect(stdout).toContain(`redis://127.0.0.1:${redis.port}`);
  }, 60_000);
});

describe('each fault that is planted', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await suite.use(startRedis({ args: wellSet }));
  });

  /** `IN-30-S` in a command becomes a time 30 s from now. */
  async function planted(...commands: string[]) {
    await redis.command('FLUSHALL');
    for (const command of commands) {
      const reply = await redis.command(command.replace('IN-30-S', String(Date.now() + 30_000)));
      if (reply.startsWith('-')) throw new Error(`${command}: ${reply}`);
    }
    return auditOf(redis.url);
  }
  const hash = 'agentId a1 status online lastSeen 1708554000000';

  it('is absent from an empty Redis', async () => {
    expect(await planted()).toMatchObject({ code: 0, clean: true, keys: 0 });
  });

  it('is absent from a channel that a hub wrote', async () => {
    expect(
      await planted(
        'ZADD openclaw:roster:c1 IN-30-S a1:h1:s1',
        'EXPIRE openclaw:roster:c1 90',
        'ZADD openclaw:roster:c1:agents 0 "a1 h1 s1"',
        'EXPIRE openclaw:roster:c1:agents 90',
        `HSET openclaw:presence:c1:a1 ${hash}`,
        'EXPIRE openclaw:presence:c1:a1 300',
        'SET openclaw:ratelimit:create:a1 5 EX 3660',
        'HSET openclaw:ratelimit:create:a1:window 1 5',
        'EXPIRE openclaw:ratelimit:create:a1:window 3660',
      ),
    ).toMatchObject({ code: 0, findings: [] });
  });

  it.each([
    ['an unknown name', 'unknown name: openclaw:…', ['SET openclaw:sessions:c1 x']],
    ['a key of another program', 'foreign key: keys of other programs', ['SET other x']],
    ['a wrong type', 'wrong type: typing:{channelId}', ['SETEX openclaw:typing:c1 10 x']],
    ['a missing TTL', 'missing TTL: typing:{channelId}', ['ZADD openclaw:typing:c1 1 a1']],
    [
      'a TTL above the table',
      'wrong TTL: channel:{channelId}:members',
      ['SADD openclaw:channel:c1:members a1', 'EXPIRE openclaw:channel:c1:members 7200'],
    ],
    [
      'a limit whose window is not configured',
      'wrong TTL: ratelimit:{action}:{agentId}',
      ['SETEX openclaw:ratelimit:message:a1 600 5'],
    ],
    [
      'a TTL where none belongs',
      'wrong TTL: seq:messages:{channelId}',
      ['SETEX openclaw:seq:messages:c1 60 5'],
    ],
    [
      'a value with too many members',
      'oversized: ratelimit:{action}:{agentId}:window',
      [
        `HSET openclaw:ratelimit:message:a1:window ${Array.from({ length: 200 }, (_, n) => `${n} 1`).join(' ')}`,
        'EXPIRE openclaw:ratelimit:message:a1:window 60',
        'SETEX openclaw:ratelimit:message:a1 60 200',
      ],
    ],
    [
      'a value with too many bytes',
      'oversized: messages:{channelId}:recent',
      ['SETRANGE openclaw:messages:c1:recent 2000000 x', 'EXPIRE openclaw:messages:c1:recent 300'],
    ],
    [
      'a counter that is no number',
      'malformed: seq:messages:{channelId}',
      ['SET openclaw:seq:messages:c1 soon'],
    ],
    [
      'the hash of another agent',
      'malformed: presence:{channelId}:{agentId}',
      [
        'HSET openclaw:presence:c1:a2 agentId a1 status online lastSeen 1',
        'EXPIRE openclaw:presence:c1:a2 300',
      ],
    ],
    [
      'the row of another channel',
      'malformed: channel:{channelId}',
      [`SETEX openclaw:channel:c1 60 '{"channelId":"c2"}'`],
    ],
    [
      'more cached messages than belong there',
      'malformed: messages:{channelId}:recent',
      [`SETEX openclaw:messages:c1:recent 60 [${Array(51).fill('{}').join(',')}]`],
    ],
    [
      'a hash without a lease',
      'orphan: presence:{channelId}:{agentId}',
      [`HSET openclaw:presence:c1:a1 ${hash}`, 'EXPIRE openclaw:presence:c1:a1 300'],
    ],
    [
      'a lease without its hash',
      'orphan: roster:{channelId}',
      [
        'ZADD openclaw:roster:c1 IN-30-S a1:h1:s1',
        'EXPIRE openclaw:roster:c1 90',
        'ZADD openclaw:roster:c1:agents 0 "a1 h1 s1"',
        'EXPIRE openclaw:roster:c1:agents 90',
      ],
    ],
    [
      'an index that does not match its roster',
      'orphan: roster:{channelId}',
      [
        'ZADD openclaw:roster:c1 IN-30-S a1:h1:s1',
        'EXPIRE openclaw:roster:c1 90',
        'ZADD openclaw:roster:c1:agents 0 "a1 h1 s1" 0 "a2 h1 s2"',
        'EXPIRE openclaw:roster:c1:agents 90',
        `HSET openclaw:presence:c1:a1 ${hash}`,
        'EXPIRE openclaw:presence:c1:a1 300',
      ],
    ],
    [
      'a lease that nothing ends',
      'orphan: roster:{channelId}',
      [
        `ZADD openclaw:roster:c1 ${Date.now() - 3_600_000} a1:h1:s1`,
        'EXPIRE openclaw:roster:c1 90',
        'ZADD openclaw:roster:c1:agents 0 "a1 h1 s1"',
        'EXPIRE openclaw:roster:c1:agents 90',
      ],
    ],
    [
      'a lease that ends in a day',
      'wrong TTL: roster:{channelId}',
      [
        `ZADD openclaw:roster:c1 ${Date.now() + 86_400_000} a1:h1:s1`,
        'EXPIRE openclaw:roster:c1 90',
        'ZADD openclaw:roster:c1:agents 0 "a1 h1 s1"',
        'EXPIRE openclaw:roster:c1:agents 90',
        `HSET openclaw:presence:c1:a1 ${hash}`,
        'EXPIRE openclaw:presence:c1:a1 300',
      ],
    ],
    [
      'an index without its roster',
      'orphan: roster:{channelId}:agents',
      ['ZADD openclaw:roster:c1:agents 0 "a1 h1 s1"', 'EXPIRE openclaw:roster:c1:agents 90'],
    ],
    [
      'a window without its counter',
      'orphan: ratelimit:{action}:{agentId}:window',
      [
        'HSET openclaw:ratelimit:message:a1:window 1 1',
        'EXPIRE openclaw:ratelimit:message:a1:window 60',
      ],
    ],
    [
      'a hash tag outside of a Cluster',
      'slot split: seq:messages:{channelId}',
      ['SET openclaw:seq:messages:{c1} 5'],
    ],
  ])('is found: %s', async (_, expected, commands) => {
    const report = await planted(...commands);
    expect(report.code).toBe(1);
    expect(found(report)).toContain(expected);
  });

  it('is not found among keys of other programs where Redis is shared', async () => {
    await planted('SET other x', 'SET openclaw:sessions:c1 x');
    const report = await auditOf(redis.url, ['--shared']);
    expect(found(report)).toEqual(['unknown name: openclaw:…']);
  });

  it('is counted, and shown by a few samples only, without control characters', async () => {
    await redis.command('FLUSHALL');
    await redis.command(
      `EVAL "for i = 1, 3000 do redis.call('SET', 'openclaw:junk:' .. i .. string.char(27), 'x') end" 0`,
    );
    const report = await auditOf(redis.url, ['--samples', '3']);
    const [finding] = report.findings;
    expect(finding).toMatchObject({ check: 'unknown name', count: 3_000 });
    expect(finding?.samples).toHaveLength(3);
    expect(JSON.stringify(finding)).not.toContain('\\u001b');
  });

  it('is not reported if a hub repairs it before the second check', async () => {
    await redis.command('FLUSHALL');
    await redis.command(`HSET openclaw:presence:c1:a1 ${hash}`);
    await redis.command('EXPIRE openclaw:presence:c1:a1 300');
    const running = auditOf(redis.url, ['--recheck', '3']);
    // Once the statistics of Redis contain a ZRANGEBYLEX, the audit's first check has ended.
    await redis.command('CONFIG RESETSTAT');
    await waitFor(async () => /cmdstat_zrangebylex/.test(await redis.command('INFO commandstats')));
    await redis.command('ZADD openclaw:roster:c1:agents 0 "a1 h1 s1"');
    await redis.command('EXPIRE openclaw:roster:c1:agents 90');
    expect(found(await running)).toEqual([]);
  });
});

describe('policy and settings', () => {
  it('at odds with what the hub needs are found', async () => {
    const redis = await scope.use(
      startRedis({
        args: [
          ...['--maxmemory-policy', 'noeviction', '--notify-keyspace-events', 'KEA'],
          ...['--timeout', '60', '--appendfsync', 'always', '--min-replicas-to-write', '1'],
        ],
      }),
    );
    const texts = textsOf(await auditOf(redis.url)).join('\n');
    for (const text of ['noeviction', 'maxmemory is not set', 'keyspace-events', 'timeout is 60'])
      expect(texts).toContain(text);
    expect(texts).toContain('appendfsync is always');
    expect(texts).toContain('min-replicas-to-write is 1');
  });

  it('without persistence are a finding in production, and none in development', async () => {
    const redis = await scope.use(startRedis({ args: wellSet }));
    const production = await auditOf(redis.url, [], { NODE_ENV: 'production' });
    expect(found(production)).toEqual([`persistence: 127.0.0.1:${redis.port}`]);
    expect(production.findings[0]?.count).toBe(2);
    expect(await auditOf(redis.url)).toMatchObject({ code: 0 });
  });

  it('that the user may not read are one line each, and no finding', async () => {
    const redis = await scope.use(startRedis({ args: wellSet }));
    await redis.command('SET openclaw:seq:messages:c1 5');
    await redis.command('ACL SETUSER auditor on >secret ~* +@read +scan +ping +info +time -config');
    const report = await auditOf(`redis://auditor@127.0.0.1:${redis.port}`, [], {
      AUDIT_REDIS_PASSWORD: 'secret',
    });
    expect(report).toMatchObject({ code: 0, keys: 1, findings: [] });
    expect(report.notes).toEqual([expect.stringMatching(/CONFIG GET is not allowed here/)]);
  });
});

describe('an audit that cannot read Redis', () => {
  it.each([
    ['an unknown option', ['--colour']],
    ['a URL that is none', ['--url', 'http://h']],
    ['a rate of 0', ['--rate', '0']],
    ['an unknown role', ['--role', 'main']],
    ['a bad prefix', ['--prefix', 'a*']],
    ['an argument too many', ['redis://u:secret-word@h:1']],
  ])('ends with 2 for %s, with the usage', async (_, args) => {
    const { code, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toContain('npm run audit:redis');
    expect(stderr).not.toContain('secret-word');
  });

  it('ends with 2 when Redis refuses the connection, the password or SCAN, and prints no password', async () => {
    const redis = await scope.use(startRedis());
    await redis.command('ACL SETUSER narrow on >right-word ~* +ping +info');
    const away = await run(['--url', `redis://u:away-word@127.0.0.1:${await freePort()}`]);
    const wrong = await run(['--url', `redis://narrow:wrong-word@127.0.0.1:${redis.port}`]);
    const narrow = await run(['--url', `redis://narrow:right-word@127.0.0.1:${redis.port}`]);
    expect([away.code, wrong.code, narrow.code]).toEqual([2, 2, 2]);
    expect(away.stderr).toContain('ECONNREFUSED');
    expect(wrong.stderr).toContain('WRONGPASS');
    expect(narrow.stderr).toContain('the audit needs SCAN');
    const all = [away, wrong, narrow].map(({ stdout, stderr }) => stdout + stderr).join('');
    expect(all).not.toMatch(/-word/);
  });

  it('ends with 2 when Redis dies on the way', async () => {
    const redis = await scope.use(startRedis({ args: wellSet }));
    await redis.command(
      `EVAL "for i = 1, 500 do redis.call('SET', 'openclaw:seq:messages:c' .. i, i) end" 0`,
    );
    const running = run(['--url', redis.url, '--rate', '100', '--count', '10']);
    await waitFor(async () => /cmdstat_scan/.test(await redis.command('INFO commandstats')));
    await redis.kill();
    expect(await running).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('gentleness', () => {
  it('keeps to its rate', async () => {
    const redis = await scope.use(startRedis({ args: wellSet }));
    await redis.command(
      `EVAL "for i = 1, 600 do redis.call('SET', 'openclaw:seq:messages:c' .. i, i) end" 0`,
    );
    const slow = await auditOf(redis.url, ['--rate', '300', '--count', '50']);
    // 600 keys at 300 per second take 2 s. The test accepts less, because the audit does not pause after the last page.
    expect(slow.durationMs).toBeGreaterThan(1_500);
    const fast: number[] = [];
    for (let n = 0; n < 5; n += 1)
      fast.push((await auditOf(redis.url, ['--rate', '1000000', '--count', '50'])).durationMs);
    expect(Math.min(...fast)).toBeLessThan(1_500);
  });
});

describe('a Cluster', () => {
  it('is walked shard by shard: clean as a hub writes it, and a name without a hash tag is found', async () => {
    const cluster = await scope.use(startCluster());
    const hub = await scope.use(
      startHub({
        env: { CHAT_REDIS_CLUSTER: cluster.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',') },
      }),
    );
    for (const { port } of cluster.nodes)
      await redisCommand(port, 'CONFIG SET maxmemory 200mb maxmemory-policy allkeys-lru');
    const traffic = await scope.use(startChatTraffic([hub], { channels: 12, everyMs: 5 }));
    await traffic.moreAcks(200);
    const url = cluster.servers.at(-1)?.url as string;

    const clean = await auditOf(url, ['--recheck', '12']);
    expect(clean).toMatchObject({ code: 0, findings: [], mode: 'cluster' });
    expect(clean.servers.map(({ role }) => role)).toEqual(['master', 'master', 'master']);
    expect(clean.servers.every(({ keys }) => (keys ?? 0) > 0)).toBe(true);

    const key = 'openclaw:roster:c1';
    const owner = await cluster.masterOf(key);
    await owner.command(`ZADD ${key} ${Date.now() + 30_000} a1:h1:s1`);
    await owner.command(`EXPIRE ${key} 90`);
    const split = await auditOf(url);
    expect(found(split)).toContain('slot split: roster:{channelId}');
    expect(split.code).toBe(1);
  }, 60_000);
});
