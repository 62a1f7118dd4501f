import { setTimeout as delay } from 'node:timers/promises';
import { holdLocks, waitFor, type PostgresServer } from '@openclaw/test-support';
import { startAbusiveAgent, type Abuse, type AbuseCounts } from './abusive-agents.ts';
import type { HubSite, System, SystemOptions } from './system.ts';

export interface FaultKind {
  readonly text: string;
  readonly holdMs: readonly [min: number, max: number];
  readonly hitsOneHub?: boolean;
  /** True if some hub is without Redis during the fault. */
  readonly interruptsRedis?: boolean;
  isPossible?(options: SystemOptions): boolean;
  /**
   * Injects the fault at the hub `site`. Resolves with a function that undoes it. The caller keeps the fault for `ms`
   * before it calls this function.
   */
  inject(system: System, site: HubSite, ms: number): Promise<() => Promise<void>>;
}

const restartTimeoutMs = 45_000;
const restartPauseMs = 500;
/** Every hub must notice within this time that Redis refuses writes. */
const noticeTimeoutMs = 5_000;
const onSingleRedis = ({ redis }: SystemOptions) => redis === 'single';
const onPostgres = ({ db }: SystemOptions) => db === 'postgres';

function redisOf({ redis }: System) {
  if (redis === null) throw new Error('this system has no single Redis');
  return redis;
}

function postgresOf({ postgres }: System): PostgresServer {
  if (postgres === null) throw new Error('this system has no PostgreSQL');
  return postgres;
}

/**
 * While Redis refuses writes, every hub must report Redis as unavailable. The returned function rejects if a hub did
 * not.
 */
function writesTakenAgain(system: System): () => Promise<void> {
  const noticed = waitFor(
    async () => {
      const states = await Promise.all(system.sites.map((site) => system.stateOf(site)));
      return states.every(({ isRedisOk }) => !isRedisOk);
    },
    { what: 'every hub reporting that Redis refuses writes', timeoutMs: noticeTimeoutMs },
  );
  noticed.catch(() => undefined);
  return async () => {
    await redisOf(system).takeWrites();
    await noticed;
  };
}

/** The returned function rejects if the hub did not react as `isRight` expects. */
function startAbuse(
  { hub }: HubSite,
  { channelIds }: System,
  behaviour: Abuse,
  isRight: (counts: AbuseCounts) => boolean,
): () => Promise<void> {
  const url = `ws://127.0.0.1:${hub.port}/v1/ws?agent=hostile-${behaviour}`;
  const end = startAbusiveAgent({ behaviour, url, channelIds });
  return async () => {
    const counts = await end();
    if (!isRight(counts)) throw new Error(`the ${behaviour} went on: ${JSON.stringify(counts)}`);
  };
}

/** A hub does not start without its database, so this retries, like an orchestrator. */
async function restarted({ hub }: HubSite): Promise<void> {
  const endMs = Date.now() + restartTimeoutMs;
  for (;;) {
    try {
      return await hub.restart();
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await delay(restartPauseMs);
    }
  }
}

export const faultKinds = {
  'redis.kill': {
    text: 'Redis dies (kill -9) and comes back empty',
    holdMs: [1_000, 6_000],
    interruptsRedis: true,
    isPossible: onSingleRedis,
    async inject(system) {
      await redisOf(system).kill();
      return () => redisOf(system).restart('nothing');
    },
  },
  'redis.freeze': {
    text: 'Redis answers nothing (SIGSTOP), then everything (SIGCONT)',
    holdMs: [1_000, 8_000],
    interruptsRedis: true,
    isPossible: onSingleRedis,
    async inject(system) {
      redisOf(system).freeze();
      return async () => redisOf(system).thaw();
    },
  },
  'redis.wipe': {
    text: 'Redis loses everything (FLUSHALL)',
    holdMs: [0, 0],
    interruptsRedis: true,
    isPossible: onSingleRedis,
    async inject(system) {
      await redisOf(system).wipe();
      return async () => undefined;
    },
  },
  'redis.rollback': {
    text: 'Redis dies and comes back with an older snapshot',
    holdMs: [2_000, 5_000],
    interruptsRedis: true,
    isPossible: onSingleRedis,
    async inject(system, _site, ms) {
      const redis = redisOf(system);
      await redis.snapshot();
      // The snapshot lacks what is written from now on, so Redis will lose it.
      await delay(ms);
      await redis.kill();
      return () => redis.restart('snapshot');
    },
  },
  'redis.cut': {
    text: 'one hub cannot reach Redis',
    holdMs: [1_000, 10_000],
    hitsOneHub: true,
    interruptsRedis: true,
    isPossible: onSingleRedis,
    async inject(_system, { redisLink }) {
      redisLink?.refuse();
      return async () => redisLink?.heal();
    },
  },
  'redis.swallow': {
    text: 'bytes between one hub and Redis vanish; connections stay open',
    holdMs: [1_000, 10_000],
    hitsOneHub: true,
    interruptsRedis: true,
    isPossible: onSingleRedis,
    async inject(_system, { redisLink }) {
      redisLink?.swallow();
      return async () => redisLink?.heal();
    },
  },
  'redis.stall': {
    text: 'bytes between one hub and Redis arrive late, all at once',
    holdMs: [1_000, 10_000],
    hitsOneHub: true,
    interruptsRedis: true,
    isPossible: onSingleRedis,
    async inject(_system, { redisLink }) {
      redisLink?.stall();
      return async () => redisLink?.heal();
    },
  },
  'redis.full': {
    text: 'Redis is full: it answers reads and refuses writes (noeviction)',
    holdMs: [5_000, 40_000],
    interruptsRedis: true,
    isPossible: onSingleRedis,
    async inject(system) {
      await redisOf(system).fill();
      return writesTakenAgain(system);
    },
  },
  'redis.readonly': {
    text: 'Redis answers reads and refuses every write (min-replicas-to-write)',
    holdMs: [5_000, 15_000],
    interruptsRedis: true,
    isPossible: onSingleRedis,
    async inject(system) {
      await redisOf(system).refuseWrites();
      return writesTakenAgain(system);
    },
  },
  'sentinel.failover': {
    text: 'the Sentinel master dies (kill -9), another takes over',
    holdMs: [1_000, 3_000],
    interruptsRedis: true,
    isPossible: ({ redis }) => redis === 'sentinel',
    async inject({ sentinel }) {
      if (sentinel === null) throw new Error('this system has no Sentinel');
      const oldPort = await sentinel.masterPort();
      const old = await sentinel.killMaster();
      return async () => {
        await sentinel.failedOver(oldPort);
        await old.restart();
      };
    },
  },
  'hub.kill': {
    text: 'a hub dies (kill -9) and is started again',
    holdMs: [500, 5_000],
    hitsOneHub: true,
    async inject(_system, site) {
      await site.hub.kill();
      return () => restarted(site);
    },
  },
  'hub.stop': {
    text: 'a hub stops (SIGTERM), drains, and is started again',
    holdMs: [0, 2_000],
    hitsOneHub: true,
    async inject(_system, site) {
      const code = await site.hub.end('SIGTERM');
      if (code !== 0) throw new Error(`${site.name} did not drain: exit code ${code}`);
      return () => restarted(site);
    },
  },
  'hub.freeze': {
    text: 'a hub freezes (SIGSTOP) and thaws (SIGCONT)',
    holdMs: [2_000, 12_000],
    hitsOneHub: true,
    // On SQLite, a hub that is frozen within a commit blocks every writer, as documented.
    isPossible: onPostgres,
    async inject(_system, { hub }) {
      hub.freeze();
      return async () => hub.thaw();
    },
  },
  'postgres.restart': {
    text: 'PostgreSQL dies and comes back',
    holdMs: [500, 4_000],
    isPossible: onPostgres,
    async inject({ postgres }) {
      await postgres?.kill();
      return async () => postgres?.restart();
    },
  },
  'postgres.transaction': {
    text: 'another client keeps a writing transaction open',
    holdMs: [5_000, 30_000],
    isPossible: onPostgres,
    async inject(system) {
      const end = await holdLocks(postgresOf(system), 'select pg_current_xact_id()');
      return async () => end();
    },
  },
  'postgres.snapshot': {
    text: 'another client keeps a snapshot open, as a dump does',
    holdMs: [10_000, 40_000],
    isPossible: onPostgres,
    async inject(system) {
      const reads = 'begin isolation level repeatable read; select count(*) from channels';
      const end = await holdLocks(postgresOf(system), reads);
      return async () => end();
    },
  },
  'agents.flood': {
    text: 'an agent floods a hub with calls over five sockets',
    holdMs: [5_000, 15_000],
    hitsOneHub: true,
    inject: async (system, site) =>
      startAbuse(site, system, 'flood', ({ closes }) => (closes['4429'] ?? 0) > 0),
  },
  'agents.read-storm': {
    text: 'an agent reads the largest pages continuously over five sockets',
    holdMs: [5_000, 15_000],
    hitsOneHub: true,
    inject: async (system, site) =>
      startAbuse(site, system, 'read-storm', ({ answers }) => answers > 0),
  },
  'clients.drop': {
    text: 'all clients of a hub lose their connection at once',
    holdMs: [0, 0],
    hitsOneHub: true,
    async inject(_system, { clientLink }) {
      clientLink.drop();
      return async () => undefined;
    },
  },
  'link.delay': {
    text: 'bytes between a hub and its clients are delayed',
    holdMs: [2_000, 6_000],
    hitsOneHub: true,
    async inject(_system, { clientLink }) {
      clientLink.delay(200);
      return async () => clientLink.heal();
    },
  },
  'link.stall': {
    text: 'bytes between a hub and its clients arrive late, all at once',
    holdMs: [1_000, 10_000],
    hitsOneHub: true,
    async inject(_system, { clientLink }) {
      clientLink.stall();
      return async () => clientLink.heal();
    },
  },
  'link.cut': {
    text: 'bytes between a hub and its clients vanish; connections stay open',
    holdMs: [2_000, 10_000],
    hitsOneHub: true,
    async inject(_system, { clientLink }) {
      clientLink.swallow();
      return async () => clientLink.heal();
    },
  },
} as const satisfies Record<string, FaultKind>;

export type FaultName = keyof typeof faultKinds;

/** The text before the dot in the fault's name is the affected part. Overlapping faults affect different parts. */
export function partOf(name: FaultName): string {
  return name.split('.')[0] as string;
}

export function faultKind(name: FaultName): FaultKind {
  return faultKinds[name];
}

export function fittingFaults(options: SystemOptions): FaultName[] {
  return (Object.keys(faultKinds) as FaultName[]).filter(
    (name) => faultKind(name).isPossible?.(options) ?? true,
  );
}
