import type { ChatStore, HubBeat } from '@openclaw/chat-store';
import { isDirectChannelId, type Operations, type OperationsAgents } from '@openclaw/protocol';
import { connectionOf } from './agent-connection.ts';
import { parseFigures } from './figures.ts';
import { LRUCache } from 'lru-cache';
import { isFault } from '../calls/failure.ts';
import type { Rooms } from '../channels/rooms.ts';
import { asHub } from '../edge/identity.ts';
import type { Metrics } from './metrics.ts';
import type { Sessions } from '../sockets/sessions.ts';
import type { RedisState } from './readiness.ts';
import type { Flusher } from '../channels/flusher.ts';
import type { SelfProbe } from '../recovery/self-probe.ts';
import type { PresenceFeed } from '../presence/presence-feed.ts';
import type { Session } from '../sockets/session.ts';
import type { Traffic } from './traffic.ts';
import { version } from './version.ts';

export interface OperationsView {
  /** Never rejects: a part that does not answer is null or down. Calls within half a second share one answer. */
  snapshot(): Promise<Operations>;
  agents(cursor: string | null, limit: number): OperationsAgents;
}

export interface OperationsDeps {
  readonly hubId: string;
  readonly store: ChatStore;
  readonly rooms: Pick<Rooms, 'get' | 'size'>;
  readonly sessions: Sessions;
  readonly presence: Pick<PresenceFeed, 'stateOf'>;
  readonly metrics: Metrics;
  readonly redis: RedisState;
  readonly flusher: Pick<Flusher, 'deliveries'>;
  readonly traffic: Traffic;
  readonly selfProbe: Pick<SelfProbe, 'path'>;
}

/** Within this time, all operators share one snapshot. */
const sharedMs = 500;
const shownChannels = 20;
const namesKeptMs = 60_000;
const maxNames = 500;

export function createOperations(deps: OperationsDeps): OperationsView {
  const { hubId, store, rooms, sessions, presence, metrics } = deps;
  const { redis, flusher, traffic, selfProbe } = deps;
  const nameOf = createChannelNames(store);
  let shared: { readonly atMs: number; readonly answer: Promise<Operations> } | null = null;

  async function readSnapshot(): Promise<Operations> {
    const [database, health, beats, channels, counters] = await Promise.all([
      store.health(),
      redis.recentHealth(),
      beatsOf(store),
      busyChannels(),
      readCounters(),
    ]);
    const isNamed = selfProbe.path.status !== 'unused';
    const ageOf = (beat: HubBeat) => ({
      hubId: beat.hubId,
      lastBeatAgoMs: beat.lastBeatAgoMs,
      isThis: beat.hubId === hubId,
      figures: parseFigures(beat.figures),
    });
    return {
      timestamp: Date.now(),
      hubId,
      ...{ version, uptimeMs: Math.round(process.uptime() * 1000) },
      counters,
      latency: traffic.latency(),
      sockets: sessions.size,
      agents: sessions.agents,
      rooms: rooms.size,
      laggingNow: sessions.lagging,
      database,
      redis: {
        status: redis.available ? 'in_use' : isNamed ? 'away' : 'none',
        mode: health.mode,
        latencyMs: health.latencyMs,
        version: health.version,
        usedMemoryBytes: health.usedMemoryBytes,
        maxMemoryBytes: health.maxMemoryBytes,
        evictedKeys: health.evictedKeys,
        reconnects: health.reconnects,
      },
      degraded: !redis.available,
      breaker: health.breaker,
      publishPath: selfProbe.path,
      hubs: beats.map(ageOf),
      channels,
    };
  }

  async function busyChannels(): Promise<Operations['channels']> {
    const shown = traffic.channels(shownChannels).map(async (one) => {
      const room = rooms.get(one.channelId);
      const name = await nameOf(one.channelId);
      return room ? [{ ...one, sockets: room.members.size, name }] : [];
    });
    return (await Promise.all(shown)).flat();
  }

  async function readCounters(): Promise<Operations['counters']> {
    const [messages, calls, publishFailures, tailRepairs, laggingSockets, badFrames] =
      await Promise.all(
        [
          ...[metrics.messages, metrics.calls, metrics.publishFailures, metrics.tailRepairs],
          ...[metrics.laggingSockets, metrics.badFrames],
        ].map((counter) => counter.get()),
      );
    const [limited, refused, closed] = await Promise.all([
      metrics.limited.get(),
      metrics.refusedConnections.get(),
      metrics.closedConnections.get(),
    ]);
    return {
      messages: sum(messages),
      events: traffic.events,
      deliveries: flusher.deliveries,
      calls: sum(calls),
      failedCalls: sum({
        values: (calls?.values ?? []).filter(({ labels }) => isFault(String(labels.outcome))),
      }),
      refusedCalls: sum(limited),
      publishFailures: sum(publishFailures),
      tailRepairs: sum(tailRepairs),
      laggingSockets: sum(laggingSockets),
      badFrames: sum(badFrames),
      refusedConnections: sum(refused),
      closedConnections: sum(closed),
    };
  }

  return {
    snapshot() {
      const nowMs = performance.now();
      if (shared === null || nowMs - shared.atMs >= sharedMs)
        shared = { atMs: nowMs, answer: readSnapshot() };
      return shared.answer;
    },
    agents(cursor, limit) {
      const after = [...sessions.agentIds()].filter((id) => cursor === null || id > cursor);
      const page = after.sort().slice(0, limit);
      return {
        agents: page.map((agentId) => agentOf(agentId, [...sessions.ofAgent(agentId)], presence)),
        nextCursor: after.length > limit ? (page.at(-1) ?? null) : null,
      };
    },
  };
}

/** The returned function resolves with null when the channel has no name or is unknown. It never rejects. */
function createChannelNames(
  store: Pick<ChatStore, 'read'>,
): (channelId: string) => Promise<string | null> {
  const kept = new LRUCache<string, { readonly name: string | null; readonly atMs: number }>({
    max: maxNames,
  });
  return async (channelId) => {
    if (isDirectChannelId(channelId)) return null;
    const known = kept.get(channelId);
    if (known && performance.now() - known.atMs < namesKeptMs) return known.name;
    const found = await store.read(asHub, 'channel.get', { channelId }, null);
    const name = found.ok ? found.result.channel.name : (known?.name ?? null);
    kept.set(channelId, { name, atMs: performance.now() });
    return name;
  };
}

/** Resolves with an empty list while the database does not answer. */
function beatsOf(store: Pick<ChatStore, 'hubs'>): Promise<HubBeat[]> {
  return store.hubs().catch(() => []);
}

function sum(
  metric: { readonly values: readonly { readonly value: number }[] } | undefined,
): number {
  return (metric?.values ?? []).reduce((total, { value }) => total + value, 0);
}

function agentOf(
  agentId: string,
  sessions: readonly Session[],
  presence: Pick<PresenceFeed, 'stateOf'>,
): OperationsAgents['agents'][number] {
  const { statusAt: _statusAt, ...connection } = connectionOf(sessions, presence);
  return {
    agentId,
    ...connection,
    sockets: sessions.length,
    unsentBytes: sessions.reduce((total, { unsentBytes }) => total + unsentBytes, 0),
  };
}
