import type { StoreInspection } from '@openclaw/chat-store';
import { deadMs } from './database-section.ts';
import { age, bytes, count, line, ms, type Line, type Section } from './line.ts';
import type { RedisFacts, ServerFacts } from './redis-facts.ts';

export interface RedisContext {
  readonly isProduction: boolean;
  /** Null while the database is away. */
  readonly hubs: StoreInspection['hubs'] | null;
  readonly nowMs: number;
}

export function redisSection(facts: RedisFacts, context: RedisContext): Section {
  return { title: 'Redis', subject: facts.shownUrl, lines: redisLines(facts, context) };
}

export function isAway({ servers, isNamed }: RedisFacts): boolean {
  return servers.length === 0 && isNamed;
}

function redisLines(facts: RedisFacts, context: RedisContext): Line[] {
  const { servers, failure, isNamed, mode } = facts;
  if (servers.length === 0 && !isNamed)
    return [line('reachable', 'ok', 'none is configured, and none runs here: the hub works alone')];
  if (servers.length === 0) {
    const advice =
      'hubs work through the database; start Redis (docker compose up redis), or correct CHAT_REDIS_… and REDIS_…';
    return [line('reachable', 'degraded', withoutPrefix(failure ?? 'no answer'), advice)];
  }
  const worstPing = Math.max(...servers.map(({ pingMs }) => pingMs));
  const versions = [...new Set(servers.map(({ info }) => info('redis_version') ?? '?'))];
  const lines = [
    line('reachable', 'ok', `${mode} ${versions.join(', ')}, PING ${ms(worstPing)}`),
    roleLine(servers),
  ];
  if (servers.every(({ info }) => info('redis_version') === undefined)) {
    const advice = 'give this user the right to INFO, as in users.acl';
    return [...lines, line('state', 'unknown', 'the user may not read INFO', advice)];
  }
  return [
    ...lines,
    policyLine(servers),
    memoryLine(servers),
    evictionsLine(servers),
    persistenceLine(servers, context),
    hubsLine(context.hubs),
  ];
}

/** Cuts the beginning of the client's message, because the line itself says that Redis is away. */
const withoutPrefix = (text: string) => text.replace(/^Redis is unavailable: /, '');

function roleLine(servers: readonly ServerFacts[]): Line {
  const replica = servers.find(({ role }) => role === 'replica');
  if (replica)
    return line(
      'role',
      'degraded',
      `${replica.address} is a replica`,
      'hubs need the master: name it, or use Sentinel (CHAT_REDIS_SENTINELS)',
    );
  const replicas = servers.reduce(
    (sum, { info }) => sum + Number(info('connected_slaves') ?? 0),
    0,
  );
  const masters = servers.length === 1 ? 'master' : `${servers.length} masters`;
  return line('role', 'ok', `${masters}, ${replicas === 1 ? '1 replica' : `${replicas} replicas`}`);
}

function policyLine(servers: readonly ServerFacts[]): Line {
  const policies = [...new Set(servers.map(({ info }) => info('maxmemory_policy') ?? '?'))];
  const isRight = policies.every((policy) => /^allkeys-l[rf]u$/.test(policy));
  return isRight
    ? line('policy', 'ok', policies.join(', '))
    : line(
        'policy',
        'degraded',
        policies.join(', '),
        'set maxmemory-policy allkeys-lru: every key here may be lost, and no write may be refused',
      );
}

function memoryLine(servers: readonly ServerFacts[]): Line {
  const sum = (name: string) =>
    servers.reduce((total, { info }) => total + Number(info(name) ?? 0), 0);
  const used = sum('used_memory');
  const most = sum('maxmemory');
  if (most === 0 || servers.some(({ info }) => info('maxmemory') === '0'))
    return line(
      'memory',
      'degraded',
      `${bytes(used)}, without a limit`,
      'set maxmemory to at most two thirds of the memory of its machine',
    );
  return line(
    'memory',
    'ok',
    `${bytes(used)} of ${bytes(most)} (${Math.round((100 * used) / most)}%)`,
  );
}

function evictionsLine(servers: readonly ServerFacts[]): Line {
  const total = servers.reduce((sum, { info }) => sum + Number(info('evicted_keys') ?? 0), 0);
  const rate = servers.reduce((sum, server) => sum + (server.evictionsPerSecond ?? 0), 0);
  const seen = `${count(total)} since the start, ${count(Math.round(rate))} per second now`;
  return rate > 100
    ? line(
        'evictions',
        'degraded',
        seen,
        'raise maxmemory, or find large buffers (CLIENT LIST, omem)',
      )
    : line('evictions', 'ok', seen);
}

function persistenceLine(servers: readonly ServerFacts[], context: RedisContext): Line {
  const failures = { aof_last_write_status: 'AOF', rdb_last_bgsave_status: 'snapshot' };
  for (const [name, what] of Object.entries(failures)) {
    const failed = servers.find(({ info }) => info(name) === 'err');
    if (failed)
      return line(
        'persistence',
        'degraded',
        `${failed.address}: the last ${what} could not be written`,
        'look at the space and the rights of its data folder, and at its log',
      );
  }
  const isAofOn = servers.every(({ info }) => info('aof_enabled') === '1');
  const savedMs =
    Math.min(...servers.map(({ info }) => Number(info('rdb_last_save_time') ?? 0))) * 1000;
  const seen = `AOF ${isAofOn ? 'on' : 'off'}, last snapshot or start ${age(context.nowMs - savedMs)} ago`;
  return context.isProduction && !isAofOn
    ? line('persistence', 'degraded', seen, 'in production set appendonly yes, for a warm restart')
    : line('persistence', 'ok', seen);
}

function hubsLine(hubs: RedisContext['hubs']): Line {
  if (hubs === null)
    return line('hubs', 'unknown', 'the database, which knows them, is away', 'see there first');
  const living = hubs.filter(({ lastBeatAgoMs }) => lastBeatAgoMs <= deadMs);
  const without = living.filter(({ isWithoutRedis }) => isWithoutRedis).map(({ hubId }) => hubId);
  if (living.length === 0) return line('hubs', 'unknown', 'no hub is beating');
  if (without.length === 0) return line('hubs', 'ok', `${living.length} beating, all use it`);
  const advice =
    'those hubs cannot write to it: compare their CHAT_REDIS_… and network; their /readyz has the reason';
  const names = without.slice(0, 3).join(', ');
  return line(
    'hubs',
    'degraded',
    `${without.length} of ${living.length} go without: ${names}`,
    advice,
  );
}
