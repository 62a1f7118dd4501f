import { ChatStoreError } from '@openclaw/chat-store';
import { createEphemeralFilter } from '@openclaw/events';
import type { EncodedEnvelope } from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { Closers } from './closers.ts';
import { asHub, type Hub } from './methods/hub.ts';
import type { Metrics } from './observe/metrics.ts';
import { createRedisState, type RedisState } from './observe/redis-state.ts';
import type { Services } from './services.ts';
import { createSlices } from './event-loop/slices.ts';
import { createAgentTopics, type AgentTopics } from './channels/agent-topics.ts';
import { createCacheDropper } from './channels/cache-dropper.ts';
import { createDirectHeads, type DirectHeads } from './channels/direct-heads.ts';
import { beginEpoch } from './recovery/epoch.ts';
import { createFoundDirects, type FoundHead } from './channels/found-directs.ts';
import { createFlusher, type Flusher } from './channels/flusher.ts';
import { notificationText, textFrame } from './channels/frame.ts';
import { startHeartbeat } from './sockets/heartbeat.ts';
import { startHubBeat } from './recovery/hub-beat.ts';
import { createLatestEvents } from './recovery/latest-events.ts';
import { createPresenceFeed } from './presence/presence-feed.ts';
import { createPublisher } from './channels/publisher.ts';
import { endRevoked } from './recovery/revocation.ts';
import type { Room } from './channels/room.ts';
import { createRingBudget } from './channels/ring-budget.ts';
import { createRooms } from './channels/rooms.ts';
import { startSelfProbe, type SelfProbe } from './recovery/self-probe.ts';
import { createSessions } from './sockets/sessions.ts';
import { startTailCheck, type TailCheck } from './recovery/tail-check.ts';
import { createTraffic, type Traffic } from './observe/traffic.ts';
import { createTypingFeed } from './presence/typing-feed.ts';
import { createUnsentBudget, type UnsentBudgetOptions } from './sockets/unsent-budget.ts';

/** How long a starting hub waits for Redis, to compare the newest committed events with the log. */
const redisWaitMs = 500;

/** The live side of a hub: everything between the log and the sockets. */
export interface Live {
  readonly hub: Hub;
  readonly flusher: Flusher;
  readonly agentTopics: AgentTopics;
  readonly directHeads: DirectHeads;
  readonly selfProbe: SelfProbe;
  readonly redisState: RedisState;
  readonly traffic: Traffic;
}

/** How much memory the live side may use. */
export interface MemoryBudgets {
  /** Limits of unsent output, per agent and per hub. @default 16 MiB, and a quarter of the heap's limit */
  readonly unsent?: UnsentBudgetOptions;
  /** Bytes for the newest events of all channels together. @default 64 MiB */
  readonly ringBytes?: number;
}

/** Wires rooms, topics, presence and typing together and starts what runs by itself. */
export async function startLive(
  hubId: string,
  services: Services,
  metrics: Metrics,
  closers: Closers,
  log: Logger,
  { unsent: unsentOptions, ringBytes }: MemoryBudgets = {},
): Promise<Live> {
  const { store, redis, isRedisNamed, keys, bus, cache, limiter, tracker, typing } = services;
  const redisState = createRedisState(redis, tracker);
  const opened = <T extends { close(): unknown }>(part: T): T => {
    closers.add(() => part.close());
    return part;
  };

  let onRestored = () => undefined as void;
  const latestEvents = opened(
    createLatestEvents({
      ...{ hubId, redis, keys, store, cache, log },
      onRestored: () => onRestored(),
    }),
  );
  const compared = latestEvents.compare(isRedisNamed ? redisWaitMs : 0);

  const traffic = createTraffic({
    onLatency: (latencyMs) => metrics.deliverySeconds.observe(latencyMs / 1000),
  });
  const flusher = opened(createFlusher({ onWritten: (handed) => traffic.written(handed) }));
  const sessions = createSessions();
  const slices = createSlices();
  const unsent = createUnsentBudget(unsentOptions);
  const ringBudget = createRingBudget(ringBytes === undefined ? {} : { maxBytes: ringBytes });
  const isNew = createEphemeralFilter();
  const onEphemeral = (room: Room, event: EncodedEnvelope) => {
    if (!isNew.accept(event)) return;
    if (event.type === 'channel.typing') typingFeed.saw(event);
    const news = event.type === 'channel.presence' ? presence.saw(event) : event;
    if (news) room.broadcast(news);
  };
  const dropCaches = createCacheDropper(cache, log);
  const rooms = opened(
    createRooms({
      ...{ store, bus, flusher, ringBudget, log, onEphemeral },
      onOpened: (channelId) => cache.forget(channelId),
      onDelivered(event, source) {
        const { channelId, type, seq } = event;
        if (channelId === null || seq === null) return;
        cache.noticed(type, channelId, seq);
        // The bus did not bring it, so perhaps nobody has dropped what it outdates.
        if (source === 'store') dropCaches(channelId, seq);
      },
      onForeignEpoch: () => tailCheck.now(),
      onConflict: (delivered) => tailCheck.reportSeqConflict(delivered),
    }),
  );

  // The one use of cached members: a direct channel's two never change, so no right is decided wrongly by them.
  const directMembers = async (channelId: string) => {
    const { value } = await cache.members.read(channelId, async () => {
      const two = { channelId, cursor: null, limit: 2 };
      const page = await store.read(asHub, 'member.list', two, null);
      if (!page.ok) throw new ChatStoreError('unavailable', page.message);
      const { head } = await store.logPage(channelId, Number.MAX_SAFE_INTEGER, 1, 1);
      return { value: page.result.members.map((member) => member.agentId), head };
    });
    return value;
  };
  const publisher = createPublisher({
    ...{ bus, cache, store, metrics, log, directMembers },
    onCommitted: (event) => latestEvents.record(event),
  });
  const epoch = () => store.epoch;
  const presence = opened(
    createPresenceFeed({
      ...{ hubId, tracker, publisher, rooms, epoch, log, times: services.times },
      async isWhole() {
        const hubIds = (await store.hubs()).map((beat) => beat.hubId);
        return (await store.cutOffHubs(hubIds)).size === 0;
      },
    }),
  );
  const typingFeed = opened(createTypingFeed({ typing, rooms, publisher, epoch, log }));
  const directHeads = createDirectHeads({ store, restarts: () => rooms.restarts });
  const agentTopics = createAgentTopics({
    ...{ bus, rooms, sessions, heads: directHeads, onEphemeral },
    epoch,
    onForeignEpoch: () => tailCheck.now(),
  });

  // Read once per room: the tail check finds every change again that the bus brought too.
  const agentsOfRoom = new WeakMap<Room, readonly string[]>();
  async function agentsOfDirect(channelId: string): Promise<readonly string[]> {
    const room = rooms.get(channelId);
    const known = room && agentsOfRoom.get(room);
    if (known) return known;
    const agentIds = await directMembers(channelId);
    if (room) agentsOfRoom.set(room, agentIds);
    return agentIds;
  }

  /** The head was read a moment ago: of another life of the database it would leave the channel deaf. */
  async function openFoundDirect(channelId: string, of: FoundHead): Promise<void> {
    let { restarts } = of;
    const agentIds = await agentsOfDirect(channelId);
    let found: number | undefined = of.head;
    while (rooms.restarts !== restarts) {
      ({ restarts } = rooms);
      found = (await store.heads([channelId])).get(channelId);
    }
    if (found) agentTopics.foundDirect(channelId, agentIds, found);
  }

  const foundDirects = opened(createFoundDirects(openFoundDirect, log));

  await bus.subscribeGlobal((event) => {
    if (!isNew.accept(event)) return;
    const frame = textFrame(notificationText('event', event.json));
    for (const session of sessions.all()) if (session.isWelcomed) session.sendBestEffort(frame);
  });
  closers.add(await startHubBeat({ store, hubId, tracker, log }));
  // So that no client is served in an outdated epoch.
  await compared;
  const tailCheck: TailCheck = opened(
    await startTailCheck({
      ...{ store, rooms, metrics, log },
      isBusAvailable: () => bus.available && !selfProbe.isDeaf,
      onRevoked: (revoked) => endRevoked(sessions, revoked),
      onDirect: (channelId, head) =>
        foundDirects.found(channelId, { head, restarts: rooms.restarts }),
      async onEpoch(epoch) {
        log.warn({ epoch }, 'the database was restored: a new epoch begins');
        await beginEpoch({ store, rooms, sessions, cache });
      },
    }),
  );
  onRestored = () => tailCheck.now();
  const selfProbe: SelfProbe = opened(
    startSelfProbe({
      probe: (timeoutMs) => bus.probe(timeoutMs),
      reconnect: () => redis.subscriber.reconnect(),
      onDeaf: () => tailCheck.now(),
      ...{ isRedisNamed, log },
    }),
  );
  closers.add(bus.onResubscribed(() => tailCheck.now()));
  closers.add(bus.onResubscribed(() => presence.resubscribed()));
  closers.add(redis.onAvailability(() => tailCheck.now()));
  closers.add(tracker.onDegraded((isDegraded) => presence.availabilityChanged(isDegraded)));
  closers.add(startHeartbeat(sessions));

  metrics.observe('hub_sockets', 'Open sockets', () => sessions.size);
  metrics.observe('hub_agents', 'Agents with a socket here', () => sessions.agents);
  metrics.observe('hub_rooms', 'Live channels', () => rooms.size);
  metrics.observe(
    'hub_store_waiting_reads',
    'Reads and look-ups that wait for their turn at the database',
    () => store.waitingReads,
  );
  metrics.observe(
    'hub_direct_heads',
    'Heads kept of direct channels beyond those that welcomes name',
    () => directHeads.size,
  );
  metrics.observe(
    'hub_unsent_bytes',
    'Output that peers have not taken, and answers in the making',
    () => unsent.bytes,
  );
  metrics.observe(
    'hub_unsent_refusals_total',
    'Bulky calls refused because too much was unsent',
    () => unsent.refusals,
  );
  metrics.observe(
    'hub_ring_bytes',
    'Memory of the newest events of all channels',
    () => ringBudget.bytes,
  );
  metrics.observe('hub_deliveries_total', 'Events handed to sockets', () => flusher.deliveries);
  metrics.observe(
    'hub_cache_hits_total',
    'Recent messages served by the cache',
    () => cache.recentMessages.stats.hits,
  );
  metrics.observe(
    'hub_cache_misses_total',
    'Recent messages read from the store',
    () => cache.recentMessages.stats.misses,
  );
  metrics.observe('hub_redis_available', '1 while Redis is in use', () =>
    redisState.available ? 1 : 0,
  );

  metrics.observe('hub_publish_path_up', '0 while what is published does not come back', () =>
    selfProbe.path.status === 'down' ? 0 : 1,
  );
  metrics.observe(
    'hub_publish_path_latency_seconds',
    'From publishing to hearing it, the last time it came back',
    () => (selfProbe.path.latencyMs ?? 0) / 1000,
  );

  return {
    hub: {
      hubId,
      store,
      bus,
      cache,
      presence,
      typing: typingFeed,
      limiter,
      rooms,
      sessions,
      publisher,
      unsent,
      slices,
      metrics,
      log,
    },
    flusher,
    agentTopics,
    directHeads,
    selfProbe,
    redisState,
    traffic,
  };
}
