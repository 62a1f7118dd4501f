import type { PresenceTracker } from '@openclaw/presence';
import {
  decodeEnvelope,
  turnStateEvent,
  type EncodedEnvelope,
  type EventOf,
  type ParamsOf,
  type TurnStatePayload,
} from '@openclaw/protocol';
import { createTypingWatch, type TurnStates, type TypingPlace } from '@openclaw/typing';
import type { Logger } from 'pino';
import type { EncodeEphemeral } from '../channels/ephemeral.ts';
import type { Publisher } from '../channels/publisher.ts';
import type { Rooms } from '../channels/rooms.ts';
import type { ConnectedAgents } from './connected-agents.ts';

/**
 * One agent shows turns in at most this many channels and threads through this hub. Past this number, the oldest turn
 * ends.
 */
const maxPlaces = 50;
/** Renewals without a change are published at most once in this time. The lease of a turn is three times as long. */
const renewalEveryMs = 10_000;

interface Known extends TypingPlace {
  publishedMs: number;
}

// Ids contain no spaces.
const keyOf = ({ channelId, threadId }: TypingPlace) => `${channelId} ${threadId ?? ''}`;

export function createTurnFeed(deps: {
  readonly turns: TurnStates;
  readonly leaseMs: number;
  readonly tracker: Pick<PresenceTracker, 'onChange'>;
  readonly rooms: Pick<Rooms, 'get'>;
  readonly publisher: Pick<Publisher, 'publishEphemeral'>;
  readonly encodeEphemeral: EncodeEphemeral;
  readonly isConnectedHere: (agentId: string) => boolean;
  readonly connectedAgents: Pick<ConnectedAgents, 'mayBeConnected'>;
  readonly log: Logger;
}) {
  const { turns, tracker, rooms, publisher, log } = deps;
  /** agentId → key of a channel or thread → the turn there. The watch bounds the number of turns. */
  const known = new Map<string, Map<string, Known>>();
  const logFailure = (error: unknown) =>
    log.debug({ err: error }, 'a turn was not ended; its lease ends');

  const watch = createTypingWatch(
    {
      typing: turns,
      onError: logFailure,
      onExpired(channelId, agentId, threadId) {
        forget(agentId, { channelId, threadId });
        // Every hub watches the leases itself, so nothing is published.
        const event = eventOf(channelId, idleOf(agentId, threadId, Date.now()));
        rooms.get(channelId)?.broadcast(deps.encodeEphemeral(event, agentId));
      },
    },
    { ttlMs: deps.leaseMs },
  );

  function remember(agentId: string, place: TypingPlace): Known {
    const ofAgent = known.get(agentId) ?? new Map<string, Known>();
    known.set(agentId, ofAgent);
    const key = keyOf(place);
    const entry = ofAgent.get(key) ?? { ...place, publishedMs: -Infinity };
    ofAgent.set(key, entry);
    watch.started(place.channelId, agentId, place.threadId);
    return entry;
  }

  function forget(agentId: string, place: TypingPlace): void {
    watch.stopped(place.channelId, agentId, place.threadId);
    const ofAgent = known.get(agentId);
    ofAgent?.delete(keyOf(place));
    if (ofAgent?.size === 0) known.delete(agentId);
  }

  /**
   * Returns the channels and threads in which the agent set a turn through this hub, or in which this hub shows a turn
   * of the agent.
   */
  function placesOf(agentId: string): TypingPlace[] {
    const places = new Map<string, TypingPlace>(known.get(agentId));
    for (const place of turns.placesOf(agentId)) places.set(keyOf(place), place);
    return [...places.values()];
  }

  function publish(channelId: string, payload: TurnStatePayload): void {
    publisher.publishEphemeral(eventOf(channelId, payload), payload.agentId);
  }

  async function end(agentId: string, place: TypingPlace): Promise<void> {
    const { channelId, threadId } = place;
    const wasKnown = known.get(agentId)?.has(keyOf(place)) === true;
    forget(agentId, place);
    const { changed, untilMs } = await turns.end(channelId, agentId, threadId);
    // This hub's clients may still show a turn that Redis has lost.
    if (changed || wasKnown) publish(channelId, idleOf(agentId, threadId, untilMs));
  }

  async function endAll(agentId: string, places: readonly TypingPlace[]): Promise<void> {
    await Promise.all(places.map((place) => end(agentId, place)));
  }

  /** An agent's turns last while it has a connection to any hub, whichever channels it follows there. */
  async function endUnlessConnected(
    agentId: string,
    places: readonly TypingPlace[],
  ): Promise<void> {
    if (places.length === 0 || deps.isConnectedHere(agentId)) return;
    const mayBeElsewhere = await deps.connectedAgents.mayBeConnected(agentId);
    // The agent may have come back meanwhile, and set its turn again.
    if (!mayBeElsewhere && !deps.isConnectedHere(agentId)) await endAll(agentId, places);
  }

  // A killed hub announces nothing. Its agents' turns end when this hub notices that the agents' presence has ended.
  const offChange = tracker.onChange((channelId, { agentId, status }) => {
    if (status !== 'offline') return;
    const places = [...(known.get(agentId)?.values() ?? [])].filter(
      (place) => place.channelId === channelId,
    );
    endUnlessConnected(agentId, places).catch(logFailure);
  });

  return {
    /** `hasSocket` is true when the call came over a socket. Resolves with true if the turn is new or changed. */
    async set(
      agentId: string,
      { channelId, threadId, state, label, queueDepth }: ParamsOf<'turn.set'>,
      hasSocket: boolean,
    ): Promise<boolean> {
      const place = { channelId, threadId };
      if (state === 'idle') {
        await end(agentId, place);
        return false;
      }
      const turn = { state, label, queueDepth };
      const { untilMs, changed } = await turns.set(channelId, agentId, threadId, turn);
      const entry = remember(agentId, place);
      const nowMs = performance.now();
      if (changed || nowMs - entry.publishedMs >= renewalEveryMs) {
        entry.publishedMs = nowMs;
        publish(channelId, { agentId, threadId, ...turn, untilMs });
      }
      const [oldest, ...others] = turns.placesOf(agentId);
      if (oldest && others.length >= maxPlaces) await end(agentId, oldest);
      // The socket closed during the call, so only the end of the lease would end the turn.
      if (hasSocket && !deps.isConnectedHere(agentId)) await endUnlessConnected(agentId, [place]);
      return changed;
    },
    list: (channelId: string) => turns.list(channelId),
    latestOf: (agentId: string) => turns.latestOf(agentId),
    /**
     * Call it when the agent's last socket at this hub was closed and the agent's presence has ended. If the agent has
     * no other connection, the turns that this hub knows end now. A turn that only another hub knows ends with its
     * lease.
     */
    disconnected(agentId: string): void {
      endUnlessConnected(agentId, placesOf(agentId)).catch(logFailure);
    },
    /** Call it when the agent has left the channel, because only members show turns. Never rejects. */
    async left(channelId: string, agentId: string): Promise<void> {
      try {
        const listed = (await turns.list(channelId)).turns.filter(
          (turn) => turn.agentId === agentId,
        );
        const places = [
          ...placesOf(agentId).filter((place) => place.channelId === channelId),
          ...listed.map(({ threadId }) => ({ channelId, threadId })),
        ];
        const distinct = new Map(places.map((place) => [keyOf(place), place]));
        await endAll(agentId, [...distinct.values()]);
      } catch (error) {
        logFailure(error);
      }
    },
    onEvent(encoded: EncodedEnvelope): void {
      const event = decodeEnvelope(encoded.json)?.envelope.event;
      if (event?.type !== 'collaboration.event' || event.channelId === null) return;
      if (event.name !== turnStateEvent) return;
      const { agentId, threadId, state } = event.payload as unknown as TurnStatePayload;
      const place = { channelId: event.channelId, threadId };
      if (state === 'idle') forget(agentId, place);
      else remember(agentId, place);
    },
    close(): void {
      offChange();
      watch.close();
    },
  };
}

export type TurnFeed = ReturnType<typeof createTurnFeed>;

function idleOf(agentId: string, threadId: string | null, untilMs: number): TurnStatePayload {
  return { agentId, threadId, state: 'idle', label: null, queueDepth: null, untilMs };
}

function eventOf(channelId: string, payload: TurnStatePayload) {
  return {
    type: 'collaboration.event',
    channelId,
    name: turnStateEvent,
    payload: { ...payload },
  } as const satisfies EventOf<'collaboration.event'>;
}
