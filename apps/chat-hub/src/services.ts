import { createCache } from '@openclaw/cache';
import type { ChatStore, ChatStoreDeps } from '@openclaw/chat-store';
import { createRedisEventBus } from '@openclaw/events';
import { createKeySchema } from '@openclaw/key-schema';
import { createPresence } from '@openclaw/presence';
import { createLocalRateLimiter } from '@openclaw/ratelimit';
import type { Channel, Message } from '@openclaw/protocol';
import { createRedisClient, type RedisClientDeps } from '@openclaw/redis-client';
import { createTurnStates, createTyping } from '@openclaw/typing';
import type { Logger } from 'pino';
import { agentTimes, type AgentTimes } from './agent-times.ts';
import type { Closers } from './closers.ts';
import type { Config } from './config.ts';
import type { PeerCertificates } from './observe/peer-certificates.ts';
import { presenceTimes, type PresenceTimes } from './presence/roster-watch.ts';

/** The limit covers WebSocket and REST together. */
const readLimit = { limit: 6_000, windowMs: 60_000 };

export type ServiceObservers = Pick<ChatStoreDeps, 'onGroup' | 'onCall' | 'onSweep'> &
  Pick<RedisClientDeps, 'onRoundTrip'> & {
    readonly certificates?: Pick<PeerCertificates, 'seen'>;
  };

export function storeDeps(
  log: Logger,
  { onGroup, onCall, onSweep, certificates }: ServiceObservers,
): ChatStoreDeps {
  const storeLog = log.child({ part: 'store' });
  return {
    // During an outage, the store warns every ten seconds. The hub itself logs each outage once, which is enough.
    logger: {
      warn: (details, message) => storeLog.debug(details, message),
      error: (details, message) => storeLog.error(details, message),
    },
    ...(onGroup && { onGroup }),
    ...(onCall && { onCall }),
    ...(onSweep && { onSweep }),
    ...(certificates && {
      onCertificate: ({ expiresAtMs }) => certificates.seen('postgres', '', expiresAtMs),
    }),
  };
}

interface OptionalTimes {
  readonly times?: PresenceTimes | undefined;
  readonly agentTimes?: Partial<AgentTimes> | undefined;
}

/** Also resolves while Redis is away. */
export async function openServices(
  store: ChatStore,
  config: Config,
  hubId: string,
  closers: Closers,
  log: Logger,
  { onRoundTrip, certificates }: ServiceObservers,
  { times = presenceTimes, agentTimes: ofAgents }: OptionalTimes = {},
) {
  // When no Redis is configured, its absence is not a fault, so nothing is logged.
  const connection = config.redis ?? { host: '127.0.0.1', port: 6379 };
  const redisLog = log.child({ part: 'redis' }, config.redis ? {} : { level: 'silent' });
  const redis = closers.opened(
    createRedisClient(
      { ...connection, connectionName: hubId },
      {
        logger: redisLog,
        ...(onRoundTrip && { onRoundTrip }),
        ...(certificates && {
          onCertificate: ({ host, expiresAtMs }) => certificates.seen('redis', host, expiresAtMs),
        }),
      },
    ),
  );
  const keys = createKeySchema({ hashTags: 'cluster' in connection });
  const shared = { redis, keys };
  const agentTimesInForce: AgentTimes = { ...agentTimes, ...ofAgents };

  return {
    store,
    redis,
    isRedisNamed: config.redis !== null,
    keys,
    bus: closers.opened(createRedisEventBus({ ...shared, logger: log.child({ part: 'events' }) })),
    cache: closers.opened(createCache<Channel, Message>(shared, { isMessage: hasPresentFields })),
    limiter: closers.opened(
      createLocalRateLimiter(shared, { limits: { ...config.limits, read: readLimit } }),
    ),
    tracker: closers.opened(
      createPresence(
        { ...shared, logger: log.child({ part: 'presence' }) },
        {
          hubId,
          leaseMs: times.leaseMs,
          heartbeatMs: times.heartbeatMs,
          redislessHubs: (hubIds) => store.redislessHubs(hubIds),
        },
      ),
    ),
    typing: closers.opened(createTyping(shared)),
    turns: closers.opened(createTurnStates(shared, { leaseMs: agentTimesInForce.turnLeaseMs })),
    times,
    agentTimes: agentTimesInForce,
    agentLoop: config.agentLoop,
  };
}

// Cached messages of an earlier release lack fields that later releases added.
function hasPresentFields(message: object): boolean {
  return 'senderKind' in message && 'state' in message;
}

export type Services = Awaited<ReturnType<typeof openServices>>;
