import { createEphemeralFilter } from '@openclaw/events';
import type { EncodedEnvelope } from '@openclaw/protocol';
import type { Logger } from 'pino';
import { refusalOfError } from './calls/failure.ts';
import type { Closers } from './closers.ts';
import type { DatabaseState } from './observe/service-reports.ts';
import { startEventLoopDelay } from './observe/event-loop-delay.ts';
import type { Metrics } from './observe/metrics.ts';
import { createRedisState } from './observe/readiness.ts';
import type { Services } from './services.ts';
import type { Tracing } from './tracing/tracing.ts';
import { createTimeSlicedQueue } from './event-loop/time-sliced-queue.ts';
import { announcedChannel } from './channels/announcer.ts';
import { createAgentLoops } from './channels/agent-loops.ts';
import { createAgentTopics } from './sockets/agent-topics.ts';
import { createDirectHeads } from './channels/direct-heads.ts';
import { createDirectMembers } from './channels/direct-members.ts';
import { beginEpoch } from './recovery/epoch.ts';
import { createFoundDirects, type FoundHead } from './channels/found-directs.ts';
import { startExpiries } from './channels/expiries.ts';
import { createFlusher } from './channels/flusher.ts';
import { notificationText, textFrame } from './channels/frames.ts';
import { createHeartbeat } from './sockets/heartbeat.ts';
import { startHubBeat } from './recovery/hub-beat.ts';
import { createLatestEvents } from './recovery/latest-events.ts';
import { createConnectedAgents } from './presence/connected-agents.ts';
import { createPresenceFeed } from './presence/presence-feed.ts';
import { createEphemeralEncoder, isDelta } from './channels/ephemeral.ts';
import { createPublisher } from './channels/publisher.ts';
import type { Room } from './channels/room.ts';
import { createRingBudget } from './channels/backlog.ts';
import { createRooms } from './channels/rooms.ts';
import { createInboxWaits } from './channels/inbox-waits.ts';
import { createLogWaits } from './channels/log-waits.ts';
import { createWriter } from './channels/writer.ts';
import type { OwnOutage } from './recovery/own-outage.ts';
import { startSelfProbe } from './recovery/self-probe.ts';
import { isWithinBounds, refuseNonAdmin, type Identity } from './edge/identity.ts';
import { createFreezes, freezeWithoutReason } from './edge/freezes.ts';
import { createKnownAgents } from './edge/known-agents.ts';
import { createRevocations, isRevokedBy } from './edge/revocations.ts';
import { createTokenUses } from './edge/token-uses.ts';
import { createAudit } from './observe/audit.ts';
import { createObservedChannels } from './observe/observed-channels.ts';
import { createSessions, endRevoked } from './sockets/sessions.ts';
import { createStreams } from './streams/streams.ts';
import { startStreamSweep } from './streams/stream-sweep.ts';
import { startTailCheck, type TailCheck } from './recovery/tail-check.ts';
import { createAgentActivity } from './observe/agent-activity.ts';
import { startAgentReports } from './observe/agent-reports.ts';
import { createTraffic } from './observe/traffic.ts';
import { createTurnFeed } from './presence/turn-feed.ts';
import { createTypingFeed } from './presence/typing-feed.ts';
import { createUnsentBudget, type UnsentBudgetOptions } from './sockets/unsent-budget.ts';

/** A starting hub waits at most this long for Redis, whose newest events it compares with the log. */
const redisWaitMs = 500;

/** `read` returns JSON for the heartbeat, or null until the hub measures the figures. */
export interface LatestFigures {
  read: () => string | null;
}

export interface MemoryBudgets {
  /** Limits per agent and per hub. @default 16 MiB, and a quarter of the heap's limit */
  readonly unsent?: UnsentBudgetOptions;
  /** The limit for the newest events of all channels together. @default 64 MiB */
  readonly ringBytes?: number;
}

export async function startLive(
  hubId: string,
  services: Services & { readonly tracing: Tracing; readonly ownOutage: OwnOutage },
  metrics: Metrics,
  closers: Closers,
  log: Logger,
  database: Pick<DatabaseState, 'failed'>,
  { unsent: unsentOptions, ringBytes }: MemoryBudgets = {},
) {
  const { store, redis, isRedisNamed, bus, cache, tracker } = services;
  const redisState = createRedisState(redis, tracker);

  // The tail check is created last, when this hub can apply its findings. Until then, a request for a check does
  // nothing.
  let tailCheck: TailCheck | null = null;
  /** Call it when the log may hold events that this hub does not know. */
  const checkLog = () => tailCheck?.now();
  const latestEvents = closers.opened(
    createLatestEvents({ ...services, hubId, log, onRestored: checkLog }),
  );
  const knownAgents = closers.opened(createKnownAgents({ store, log }));
  const tokenUses = closers.opened(createTokenUses({ store, log }));
  const audit = closers.opened(createAudit({ store, hubId, log }));
  const observed = createObservedChannels({ store, audit, log });
  const revocations = createRevocations();
  const freezes = await createFreezes(store);
  const compared = latestEvents.compare(isRedisNamed ? redisWaitMs : 0);

  const activity = createAgentActivity();
  const traffic = createTraffic(metrics, undefined, undefined, activity);
  const flusher = closers.opened(
    createFlusher({ onWritten: services.tracing.written(traffic.written) }),
  );
  const sessions = createSessions();
  const slices = createTimeSlicedQueue();
  const unsent = createUnsentBudget(unsentOptions);
  const ringBudget = createRingBudget(ringBytes === undefined ? {} : { maxBytes: ringBytes });
  const isNew = createEphemeralFilter();
  function onEphemeral(room: Room, event: EncodedEnvelope): void {
    // A delta needs no filter: its position in the text shows whether it is new.
    if (isDelta(event)) return room.broadcast(event);
    if (!isNew.accept(event)) return;
    if (event.type === 'channel.typing') typingFeed.onEvent(event);
    if (event.type === 'collaboration.event') turnFeed.onEvent(event);
    const news = event.type === 'channel.presence' ? presence.filterEvent(event) : event;
    if (news) room.broadcast(news);
  }
  const rooms = closers.opened(
    createRooms({
      ...services,
      flusher,
      ringBudget,
      log,
      onEphemeral,
      onForeignEpoch: checkLog,
      onJoined(room, agentId) {
        for (const session of sessions.ofAgent(agentId))
          if (session.rooms.get(room.channelId) === room) presence.joined(session, room);
      },
      onSeqConflict: (delivered) => tailCheck?.reportSeqConflict(delivered),
    }),
  );

  const waiting = {
    isRevoked: revocations.has,
    onFailed(error: unknown) {
      const refusal = refusalOfError(error);
      if (refusal.code === 'internal') log.error({ err: error }, 'a wait for an event failed');
      return refusal;
    },
  };
  const logWaits = createLogWaits({ store, rooms, ...waiting });
  const connectedAgents = createConnectedAgents({ tracker, store, log });
  const onWaiting = (agentId: string) => connectedAgents.connected(agentId);
  const inboxWaits = createInboxWaits({ store, bus, log, onWaiting, ...waiting });

  const directMembers = createDirectMembers({ store, cache, rooms });
  const encodeEphemeral = createEphemeralEncoder(store, (senderId) =>
    senderId === hubId ? 'hub' : knownAgents.kindOf(senderId),
  );
  let isRedisUsed = isRedisNamed || redis.available;
  closers.add(
    redis.onAvailability((isAvailable) => {
      isRedisUsed ||= isAvailable;
    }),
  );
  const publisher = createPublisher({
    ...{ bus, encodeEphemeral, metrics, log, directMembers },
    isRedisUsed: () => isRedisUsed,
  });
  const writer = createWriter({
    ...services,
    ...{ publisher, latestEvents, metrics, frozen: freezes.frozen },
    loops: createAgentLoops(services.agentLoop, log, activity.addressed),
    onInboxItems: inboxWaits.committed,
    store: services.tracing.store(store),
  });
  const feedDeps = { ...services, publisher, rooms, encodeEphemeral, log };
  const presence = closers.opened(
    createPresenceFeed({
      ...feedDeps,
      hubId,
      async canAllHubsWrite() {
        const hubIds = (await store.hubs()).map((beat) => beat.hubId);
        return (await store.redislessHubs(hubIds)).size === 0;
      },
    }),
  );
  const typingFeed = closers.opened(createTypingFeed(feedDeps));
  const turnFeed = closers.opened(
    createTurnFeed({
      ...feedDeps,
      leaseMs: services.agentTimes.turnLeaseMs,
      isConnectedHere: (agentId) => sessions.ofAgent(agentId).size > 0,
      connectedAgents,
    }),
  );
  const streams = closers.opened(createStreams({ store, rooms, publisher, log }));
  const directHeads = createDirectHeads({ store, epochGeneration: () => rooms.epochGeneration });
  const agentTopics = createAgentTopics({
    bus,
    store,
    rooms,
    sessions,
    heads: directHeads,
    onEphemeral,
    onForeignEpoch: checkLog,
  });

  /** If the epoch has changed since the head was read, reads the head again. */
  async function openFoundDirect(channelId: string, of: FoundHead): Promise<void> {
    let { epochGeneration } = of;
    const agentIds = await directMembers(channelId);
    let found: number | undefined = of.head;
    while (rooms.epochGeneration !== epochGeneration) {
      ({ epochGeneration } = rooms);
      found = (await store.heads([channelId])).get(channelId);
    }
    if (found) agentTopics.foundDirect(channelId, agentIds, found);
  }

  const foundDirects = closers.opened(createFoundDirects(openFoundDirect, log));

  const streamSweep = closers.opened(
    startStreamSweep({
      ...{ store, writer },
      isConnected: (agentId) => sessions.ofAgent(agentId).size > 0,
      times: services.agentTimes,
      log,
    }),
  );
  await bus.subscribeGlobal((event) => {
    if (!isNew.accept(event)) return;
    const frame = textFrame(notificationText('event', event.json));
    const announced = announcedChannel(event);
    const freeze = freezeWithoutReason(event);
    const reasonless = freeze && textFrame(notificationText('event', freeze.json));
    if (freeze)
      freezes
        .refresh()
        .then(() => streamSweep.now())
        .catch((error: unknown) => log.debug({ err: error }, 'the freezes were not read'));
    for (const session of sessions.all()) {
      const { identity } = session;
      if (announced !== null && !isWithinBounds(identity, announced)) continue;
      const mayKnow = reasonless === null || refuseNonAdmin(identity, 'know why') === null;
      session.sendBestEffort(mayKnow ? frame : reasonless);
    }
  });
  const latestFigures: LatestFigures = { read: () => null };
  closers.add(
    await startHubBeat({
      store,
      hubId,
      tracker,
      log,
      figures: () => latestFigures.read(),
      onBeat: () => services.ownOutage.databaseAnswered(),
      onFailed: (error) => database.failed('writes', error),
    }),
  );
  // The comparison may begin a new epoch, and no client may be served in an outdated one.
  await compared;
  const selfProbe = closers.opened(
    startSelfProbe({
      probe: (timeoutMs) => bus.probe(timeoutMs),
      reconnect: () => redis.subscriber.reconnect(),
      onDeaf: checkLog,
      isRedisNamed,
      onProbe(result) {
        metrics.publishPathProbes.inc({ outcome: result.outcome });
        if (result.outcome === 'back') metrics.publishPathSeconds.observe(result.latencyMs / 1_000);
      },
      log,
    }),
  );
  tailCheck = closers.opened(
    await startTailCheck({
      store,
      rooms,
      metrics,
      log,
      isBusAvailable: () => bus.available && !selfProbe.isDeaf,
      onRevoked(revoked) {
        endRevoked(sessions, revoked);
        const isEnded = (identity: Identity) =>
          revoked.some((entry) => isRevokedBy(identity, entry));
        for (const waits of [logWaits, inboxWaits]) waits.endRevoked(isEnded);
        revocations.add(revoked);
        endRevoked(sessions, revoked);
      },
      onDirect: (channelId, head) =>
        foundDirects.add(channelId, { head, epochGeneration: rooms.epochGeneration }),
      onChecked: (hasEvents) => inboxWaits.checked(hasEvents),
      onFreezes: (version) => freezes.check(version),
      async onEpoch(epoch) {
        log.warn({ epoch }, 'the database was restored: a new epoch begins');
        inboxWaits.restored();
        await beginEpoch({ store, rooms, sessions, cache });
      },
      onFailed: (error) => database.failed('reads', error),
    }),
  );
  closers.opened(startExpiries({ store, writer, log }));
  closers.add(bus.onResubscribed(checkLog));
  closers.add(bus.onResubscribed(() => presence.onResubscribed()));
  closers.add(redis.onAvailability(checkLog));
  closers.add(tracker.onDegraded((isDegraded) => presence.onAvailability(isDegraded)));
  closers.opened(
    startAgentReports({ store, hubId, sessions, presence, turns: turnFeed, activity, log }),
  );
  const heartbeat = closers.opened(createHeartbeat());
  closers.opened(startEventLoopDelay(metrics));

  return {
    rooms,
    logWaits,
    inboxWaits,
    sessions,
    presence,
    connectedAgents,
    typing: typingFeed,
    turns: turnFeed,
    streams,
    knownAgents,
    tokenUses,
    audit,
    observed,
    revocations,
    freezes,
    publisher,
    writer,
    unsent,
    slices,
    ringBudget,
    flusher,
    agentTopics,
    directHeads,
    heartbeat,
    selfProbe,
    redisState,
    traffic,
    latestFigures,
  };
}

export type Live = Awaited<ReturnType<typeof startLive>>;
