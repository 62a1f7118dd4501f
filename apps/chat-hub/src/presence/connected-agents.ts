import { hash, randomUUID } from 'node:crypto';
import type { ChatStore } from '@openclaw/chat-store';
import type { PresenceTracker } from '@openclaw/presence';
import { directChannelPrefix, type ResultOf } from '@openclaw/protocol';
import type { Logger } from 'pino';

/** If a hub's last heartbeat is older, its connections do not count, because they may be lost. */
const beatWithinMs = 5_000;
const beatsKeptMs = 500;
/** A hub accepts fewer connections than this from one agent. */
const connectionsMax = 200;

const rosterPrefix = `${directChannelPrefix}self_`;

/** Each roster is reaped separately, and the leases of one roster are renewed together, so few rosters cost less. */
const rosters = 32;

/** No channel has this id, because the prefix is reserved for the hub. */
function rosterOf(agentId: string): string {
  const number = Number.parseInt(hash('sha256', agentId).slice(0, 4), 16) % rosters;
  return `${rosterPrefix}${number}`;
}

/** A connections roster tells all hubs which agents are connected. Changes of this roster are not announced. */
export function isConnectionsRoster(channelId: string): boolean {
  return channelId.startsWith(rosterPrefix);
}

type Deliveries = Pick<ResultOf<'ask.create'>, 'deliveries' | 'degraded'>;

/**
 * Knows which agents are connected to any hub. An agent that waits for its inbox counts as connected. Each connection
 * has a lease in Redis.
 */
export function createConnectedAgents(deps: {
  readonly tracker: Pick<PresenceTracker, 'hubId' | 'track' | 'untrack' | 'listConnections'>;
  readonly store: Pick<ChatStore, 'hubs'>;
  readonly log: Logger;
}) {
  const { tracker, store, log } = deps;
  let beats: Promise<ReadonlySet<string> | null> | null = null;

  const warn = (error: unknown) =>
    log.warn({ err: error }, 'the connection of an agent could not be made known to other hubs');

  function beatingHubs(): Promise<ReadonlySet<string> | null> {
    if (beats) return beats;
    setTimeout(() => (beats = null), beatsKeptMs).unref();
    return (beats = store.hubs().then(
      (hubs) =>
        new Set(
          hubs
            .filter(({ lastBeatAgoMs }) => lastBeatAgoMs <= beatWithinMs)
            .map(({ hubId }) => hubId),
        ),
      (error: unknown) => {
        log.debug({ err: error }, 'it is not known which hubs beat: all connections count');
        return null;
      },
    ));
  }

  async function deliveriesTo(agentIds: readonly string[]): Promise<Deliveries> {
    const hubs = await beatingHubs();
    const isCounted = (hubId: string) =>
      hubs === null || hubId === tracker.hubId || hubs.has(hubId);
    const pages = await Promise.all(
      agentIds.map((agentId) =>
        tracker
          .listConnections(rosterOf(agentId), { agentId, limit: connectionsMax })
          // The ask is already committed, so the call must not fail.
          .catch(() => ({ connections: [], degraded: true })),
      ),
    );
    const deliveries = agentIds.map((agentId, index) => {
      const isLive = pages[index]?.connections.some(({ hubId }) => isCounted(hubId));
      return { agentId, state: isLive ? ('live' as const) : ('away' as const) };
    });
    return { deliveries, degraded: pages.some(({ degraded }) => degraded) };
  }

  return {
    /** The connection counts until the returned function is called, or until the tracker untracks the session. */
    connected(agentId: string, sessionId: string = randomUUID()): () => void {
      const connection = { agentId, sessionId };
      tracker.track(rosterOf(agentId), connection).catch(warn);
      return () => void tracker.untrack(rosterOf(agentId), connection).catch(warn);
    },
    /** Costs one round trip to Redis. Without Redis only the connections of this hub are known. */
    deliveriesTo,
    /**
     * Returns false only when the agent certainly has no connection on any hub. Costs as much as {@link deliveriesTo}.
     * Without Redis, only a hub that runs alone is certain.
     */
    async mayBeConnected(agentId: string): Promise<boolean> {
      const { deliveries, degraded } = await deliveriesTo([agentId]);
      if (deliveries.some(({ state }) => state === 'live')) return true;
      if (!degraded) return false;
      const hubs = await beatingHubs();
      return hubs === null || [...hubs].some((hubId) => hubId !== tracker.hubId);
    },
  };
}

export type ConnectedAgents = ReturnType<typeof createConnectedAgents>;
