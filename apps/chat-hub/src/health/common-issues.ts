import type { DatabaseFacts } from './database-section.ts';
import type { HubFacts } from './hub-section.ts';
import { count, line, ms, type Line, type Section } from './line.ts';
import type { RedisFacts, ServerFacts } from './redis-facts.ts';
import { isAway } from './redis-section.ts';

export interface Facts {
  readonly hub: HubFacts;
  readonly database: DatabaseFacts;
  readonly redis: RedisFacts;
}

const pubSubMaxMs = 50;
/** Higher than the target, because the hub reports only its latest probe, and one late answer is no issue. */
const hubProbeMaxMs = 4 * pubSubMaxMs;
/** Above this share of one core, Redis answers late. */
const cpuMax = 0.8;
const memoryMax = 0.95;

export function commonIssues({ hub, database, redis }: Facts): Section {
  return {
    title: 'Common issues',
    subject: 'each checked now',
    lines: [
      connectionRefused(redis),
      memoryLimit(redis, hub),
      slowPubSub(redis, hub),
      highCpu(redis),
      immortalKeys(redis, database),
    ],
  };
}

function unseen(name: string, { isNamed }: Pick<RedisFacts, 'isNamed'>): Line {
  return isNamed
    ? line(name, 'unknown', 'not seen while Redis is away')
    : line(name, 'ok', 'there is no Redis');
}

function connectionRefused(redis: RedisFacts): Line {
  const name = 'Connection refused';
  if (isAway(redis)) {
    const { failure } = redis;
    const advice = /NOAUTH|WRONGPASS|NOPERM/.test(failure ?? '')
      ? 'it runs, and refuses this user: CHAT_REDIS_PASSWORD wins over REDIS_PASSWORD'
      : /ECONNREFUSED/.test(failure ?? '')
        ? 'Redis does not run there: docker compose up redis, or correct the address'
        : 'the network or a frozen server: check the address, firewalls, and its machine';
    return line(
      name,
      'degraded',
      failure?.replace(/^Redis is unavailable: /, '') ?? 'no answer',
      advice,
    );
  }
  if (redis.servers.length === 0) return unseen(name, redis);
  return line(name, 'ok', 'Redis accepts connections');
}

function memoryLimit(redis: RedisFacts, hub: HubFacts): Line {
  const name = 'Memory limit exceeded';
  if (hub.ready?.redis?.refusal === 'OOM')
    return line(
      name,
      'degraded',
      'Redis refuses writes with OOM',
      'set allkeys-lru, raise maxmemory; find the client by CLIENT LIST (omem)',
    );
  if (redis.servers.length === 0) return unseen(name, redis);
  for (const { address, info } of redis.servers) {
    const most = Number(info('maxmemory') ?? 0);
    const share = Number(info('used_memory') ?? 0) / most;
    if (most === 0 || share < memoryMax) continue;
    const seen = `${address} uses ${Math.round(share * 100)}% of maxmemory`;
    const policy = info('maxmemory_policy') ?? '';
    // A cache that evicts is normally at its memory limit. Another line checks the rate of evictions.
    if (policy.startsWith('allkeys-')) return line(name, 'ok', `${seen}, and evicts (${policy})`);
    return line(
      name,
      'degraded',
      `${seen}, with ${policy}`,
      'set maxmemory-policy allkeys-lru, then raise maxmemory',
    );
  }
  const isLimited = redis.servers.every(({ info }) => Number(info('maxmemory') ?? 0) > 0);
  return line(
    name,
    'ok',
    isLimited ? `below ${memoryMax * 100}% of maxmemory` : 'there is no limit',
  );
}

function slowPubSub(redis: RedisFacts, hub: HubFacts): Line {
  const name = 'Slow Pub/Sub';
  if (redis.servers.length === 0) return unseen(name, redis);
  const { pubSubMs } = redis;
  const ofHub = hub.ready?.publishPath?.latencyMs ?? null;
  if (pubSubMs === null)
    return line(
      name,
      'degraded',
      'a published probe was not received',
      'Redis refuses writes, or this user may not publish: see its role and users.acl',
    );
  const seen = `${ms(pubSubMs)} from here${ofHub === null ? '' : `, ${ms(ofHub)} from the hub`}; target ${pubSubMaxMs} ms`;
  return pubSubMs > pubSubMaxMs || (ofHub ?? 0) > hubProbeMaxMs
    ? line(
        name,
        'degraded',
        seen,
        'SLOWLOG GET and LATENCY LATEST in Redis; the network; the event loop of the hub',
      )
    : line(name, 'ok', seen);
}

function busiest(servers: readonly ServerFacts[]): ServerFacts | undefined {
  return servers.toSorted((a, b) => (b.cpuShare ?? -1) - (a.cpuShare ?? -1))[0];
}

export function highCpu(redis: Pick<RedisFacts, 'servers' | 'isNamed'>): Line {
  const name = 'High CPU';
  const server = busiest(redis.servers);
  if (!server) return unseen(name, redis);
  if (server.cpuShare === null)
    return line(name, 'unknown', 'the user may not read INFO', 'give it the right to INFO');
  const evictions = count(Math.round(server.evictionsPerSecond ?? 0));
  const seen = `main thread ${Math.round(server.cpuShare * 100)}% of a core, ${evictions} evictions per second`;
  return server.cpuShare > cpuMax
    ? line(
        name,
        'degraded',
        seen,
        'INFO commandstats and SLOWLOG GET: MONITOR, KEYS, long scripts; with fast eviction raise maxmemory',
      )
    : line(name, 'ok', seen);
}

function immortalKeys(redis: RedisFacts, { inspection }: DatabaseFacts): Line {
  const name = 'Keys not expiring';
  if (redis.servers.length === 0) return unseen(name, redis);
  const sum = (values: readonly (number | null)[]) =>
    values.includes(null) ? null : values.reduce<number>((total, n) => total + (n ?? 0), 0);
  const immortal = sum(redis.servers.map((server) => server.immortal));
  const keys = sum(redis.servers.map((server) => server.keys));
  const channels = inspection?.channels ?? null;
  if (immortal === null || keys === null)
    return line(name, 'unknown', 'the user may not read INFO', 'give it the right to INFO');
  if (channels === null)
    return line(
      name,
      'unknown',
      `${count(immortal)} of ${count(keys)} keys; the database, which knows how many are right, is away`,
    );
  // These never expire: the highest seq of each channel, and the key with the hubs' newest events.
  const right = channels + 1;
  const seen = `${count(immortal)} of ${count(keys)} keys never expire; up to ${count(right)} are right`;
  return immortal > right
    ? line(
        name,
        'degraded',
        seen,
        'npm run audit:redis names keys that should expire; if there are none, channels of another database use this Redis',
      )
    : line(name, 'ok', seen);
}
