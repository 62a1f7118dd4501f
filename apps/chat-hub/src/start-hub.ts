import { randomUUID } from 'node:crypto';
import { createCache } from '@openclaw/cache';
import { createChatStore } from '@openclaw/chat-store';
import { createEphemeralFilter, createRedisEventBus } from '@openclaw/events';
import { createKeySchema } from '@openclaw/key-schema';
import { createPresence } from '@openclaw/presence';
import { encodeCloseReason, type EncodedEnvelope } from '@openclaw/protocol';
import { createLocalRateLimiter } from '@openclaw/ratelimit';
import { createRedisClient } from '@openclaw/redis-client';
import { createTyping } from '@openclaw/typing';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { createAuthenticate } from './auth/authenticate.ts';
import type { Config } from './config.ts';
import { createConnectionHandler } from './connection.ts';
import type { Hub } from './hub.ts';
import { createAgentTopics } from './live/agent-topics.ts';
import { createFlusher } from './live/flusher.ts';
import { notificationText, textFrame } from './live/frame.ts';
import { startHeartbeat } from './live/heartbeat.ts';
import { startHubBeat } from './live/hub-beat.ts';
import { createPresenceFeed } from './live/presence-feed.ts';
import { createPublisher } from './live/publisher.ts';
import type { Room } from './live/room.ts';
import { createRooms } from './live/rooms.ts';
import { createSessions } from './live/sessions.ts';
import { startTailCheck } from './live/tail-check.ts';
import { createTypingFeed } from './live/typing-feed.ts';
import { createMethods } from './methods/table.ts';
import { createMetrics } from './metrics.ts';
import { createReadiness } from './readiness.ts';
import { createDispatcher } from './rpc/dispatcher.ts';
import { createServer } from './server.ts';
import { createUpgradeHandler } from './upgrade.ts';

/** A hub that runs. */
export interface RunningHub {
  readonly hubId: string;
  /** `http://host:port` */
  readonly url: string;
  /** Whether Redis answers now. */
  readonly isRedisAvailable: boolean;
  onRedisAvailability(listener: (available: boolean) => void): () => void;
  /** Sends every client away with a slot of its own, then closes what was opened, last first. */
  close(): Promise<void>;
}

/** How long draining clients have to come back elsewhere by themselves. */
const drainMs = 2_000;
const leaseMs = 30_000;

/** Wires configuration, stores, features and server, and listens. Rejects when the database or the port cannot be had. */
export async function startHub(config: Config, log: Logger): Promise<RunningHub> {
  const hubId = `hub-${randomUUID().slice(0, 8)}`;
  const metrics = createMetrics();
  const closers: (() => unknown)[] = [];
  const closeAll = async () => {
    for (const close of closers.reverse()) {
      await Promise.resolve(close()).catch?.((error: unknown) => log.warn({ err: error }, 'a part did not close cleanly'));
    }
  };

  try {
    const store = await createChatStore({ url: config.databaseUrl }, { logger: log });
    closers.push(() => store.close());

    const connection = config.redis ?? { host: '127.0.0.1', port: 6379 };
    const keys = createKeySchema({ hashTags: 'cluster' in connection });
    const redis = createRedisClient(
      { ...connection, connectionName: hubId },
      { logger: config.redis ? log.child({ part: 'redis' }) : log.child({ part: 'redis' }, { level: 'silent' }) },
    );
    closers.push(() => redis.close());
    const shared = { redis, keys };

    const bus = createRedisEventBus({ ...shared, logger: log });
    closers.push(() => bus.close());
    const cache = createCache(shared);
    const limiter = createLocalRateLimiter(shared, {
      limits: { ...config.limits, read: { limit: 6_000, windowMs: 60_000 } },
    });
    closers.push(() => limiter.close());
    const tracker = createPresence(shared, {
      hubId,
      leaseMs,
      isHubAlive: (hubIds) => store.liveHubs(hubIds),
    });
    closers.push(() => tracker.close());
    const typing = createTyping(shared);
    closers.push(() => typing.close());

    const flusher = createFlusher();
    closers.push(() => flusher.close());
    const sessions = createSessions();
    const isNew = createEphemeralFilter();
    const onEphemeral = (room: Room, event: EncodedEnvelope) => {
      if (!isNew.accept(event)) return;
      if (event.type === 'channel.typing') typingFeed.saw(event);
      room.broadcast(event);
    };
    const rooms = createRooms({
      store,
      bus,
      flusher,
      log,
      onEphemeral,
      onRecovered: (events) => void cache.drop(events.map((event) => event.channelId ?? '')),
      onForeignEpoch: () => tailCheck.now(),
    });
    closers.push(() => rooms.close());

    // A direct channel's two members never change, so remembering them decides no right wrongly.
    const directMembers = new LRUCache<string, readonly string[]>({
      max: 10_000,
      fetchMethod: async (channelId) => {
        const page = await store.read({ agentId: hubId, isAdmin: true }, 'member.list', { channelId, cursor: null, limit: 2 });
        return page.ok ? page.result.members.map((member) => member.agentId) : [];
      },
    });
    const publisher = createPublisher({
      ...{ bus, cache, store, metrics, log },
      directMembers: async (channelId) => (await directMembers.fetch(channelId)) ?? [],
    });
    const presence = createPresenceFeed({ hubId, tracker, publisher, log });
    closers.push(() => presence.close());
    const typingFeed = createTypingFeed({ hubId, typing, rooms, publisher, epoch: () => store.epoch, log });
    closers.push(() => typingFeed.close());

    const hub: Hub = { hubId, store, bus, cache, presence, typing: typingFeed, limiter, rooms, sessions, publisher, metrics, log };
    await bus.subscribeGlobal((event) => {
      if (!isNew.accept(event)) return;
      const frame = textFrame(notificationText('event', event.json));
      for (const session of sessions.all()) if (session.isWelcomed) session.enqueue(frame);
    });

    const stopBeat = await startHubBeat(store, hubId, log);
    closers.push(stopBeat);
    const tailCheck = await startTailCheck({
      ...{ store, rooms, metrics, log },
      isBusAvailable: () => bus.available,
      onRevoked: (revoked) => {
        for (const session of sessions.all()) {
          if (revoked.some((entry) => isRevokedBy(entry, session.identity))) session.close(4403, 'the token was revoked');
        }
      },
      onEpoch: (epoch) => log.warn({ epoch }, 'the database was restored: a new epoch begins'),
    });
    closers.push(() => tailCheck.close());
    closers.push(bus.onResubscribed(() => tailCheck.now()));
    closers.push(redis.onAvailability((available) => {
      log.info({ available }, available ? 'Redis is in use' : 'Redis is away; this hub goes on alone');
      tailCheck.now();
    }));
    closers.push(startHeartbeat(sessions));

    const handlers = createMethods(hub);
    const dispatcher = createDispatcher(handlers, log, (method, outcome, durationMs) => {
      metrics.calls.inc({ method, outcome });
      metrics.callSeconds.observe({ method }, durationMs / 1000);
    });
    const authenticate = createAuthenticate(config.auth, store);
    const readiness = createReadiness(hubId, store, redis);
    const secret = config.auth.mode === 'jwt' ? config.auth.secret : null;
    const app = await createServer({ hub, handlers, authenticate, readiness, secret });

    let draining = false;
    app.server.on(
      'upgrade',
      createUpgradeHandler({
        authenticate,
        allowedOrigins: config.allowedOrigins,
        busyForMs: () => (draining ? slot() : null),
        onAccepted: createConnectionHandler({
          ...{ hub, flusher, dispatcher },
          agentTopics: createAgentTopics({ bus, rooms, sessions, onEphemeral }),
        }),
        onRefused: (reason) => metrics.refusedConnections.inc({ reason }),
      }),
    );

    metrics.observe('hub_sockets', 'Open sockets', () => sessions.size);
    metrics.observe('hub_agents', 'Agents with a socket here', () => sessions.agents);
    metrics.observe('hub_rooms', 'Live channels', () => rooms.size);
    metrics.observe('hub_deliveries_total', 'Events handed to sockets', () => flusher.deliveries);
    metrics.observe('hub_redis_available', '1 while Redis is in use', () => (redis.available ? 1 : 0));

    const url = await app.listen({ host: config.host, port: config.port });
    closers.push(() => app.close());

    async function drain(): Promise<void> {
      draining = true;
      readiness.drain();
      for (const session of sessions.all()) {
        const params = { afterMs: slot(), reason: 'draining' };
        session.send(JSON.stringify({ jsonrpc: '2.0', method: 'reconnect', params }));
      }
      if (sessions.size > 0) await new Promise((resolve) => setTimeout(resolve, 100));
      for (const session of sessions.all()) session.close(4503, encodeCloseReason(slot()));
      const endMs = Date.now() + drainMs;
      while (sessions.size > 0 && Date.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 20));
      for (const session of sessions.all()) session.terminateSoon();
    }
    closers.push(drain);

    return {
      hubId,
      url,
      get isRedisAvailable() {
        return redis.available;
      },
      onRedisAvailability: (listener) => redis.onAvailability(listener),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** When a client sent away may come back: spread, so that the next hub is not stormed. */
function slot(): number {
  return Math.round(Math.random() * drainMs);
}

function isRevokedBy(
  revoked: { readonly jti: string | null; readonly sub: string | null; readonly revokedAtMs: number },
  identity: { readonly agentId: string; readonly jti: string | null; readonly issuedAtMs: number | null },
): boolean {
  if (revoked.jti !== null) return revoked.jti === identity.jti;
  return revoked.sub === identity.agentId && (identity.issuedAtMs ?? 0) <= revoked.revokedAtMs;
}
