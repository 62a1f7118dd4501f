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

/**
 * One agent shows turns in at most this many channels and threads through this hub. Past this number, the oldest turn
 * ends.
 */
const maxPlaces = 50;
/** The lease of a turn is three times as long. Renewals without a change are published at most this often. */
const renewalEveryMs = 10_000;

interface Known {
  readonly agentId: string;
  readonly place: TypingPlace;
  publishedMs: number;
}

export function createTurnFeed(deps: {
  readonly turns: TurnStates;
  readonly leaseMs: number;
  readonly tracker: Pick<PresenceTracker, 'get' | 'onChange'>;
  readonly rooms: Pick<Rooms, 'get'>;
  readonly publisher: Pick<Publisher, 'publishEphemeral'>;
  readonly encodeEphemeral: EncodeEphemeral;
  readonly isConnected: (agentId: string) => boolean;
  readonly log: Logger;
}) {
  const { turns, tracker, rooms, publisher, log } = deps;
  /** Maps channel → agent → thread. The watch bounds the number of turns. */
  const known = new Map<string, Map<string, Map<string | null, Known>>>();
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
    const { channelId, threadId } = place;
    const byAgent = known.get(channelId) ?? new Map<string, Map<string | null, Known>>();
    known.set(channelId, byAgent);
    const byThread = byAgent.get(agentId) ?? new Map<string | null, Known>();
    byAgent.set(agentId, byThread);
    const entry = byThread.get(threadId) ?? { agentId, place, publishedMs: -Infinity };
    byThread.set(threadId, entry);
    watch.started(channelId, agentId, threadId);
    return entry;
  }

  function forget(agentId: string, { channelId, threadId }: TypingPlace): void {
    watch.stopped(channelId, agentId, threadId);
    const byAgent = known.get(channelId);
    const byThread = byAgent?.get(agentId);
    byThread?.delete(threadId);
    if (byThread?.size === 0) byAgent?.delete(agentId);
    if (byAgent?.size === 0) known.delete(channelId);
  }

  function publish(channelId: string, payload: TurnStatePayload): void {
    publisher.publishEphemeral(eventOf(channelId, payload), payload.agentId);
  }

  async function end(agentId: string, place: TypingPlace): Promise<void> {
    const { channelId, threadId } = place;
    const wasKnown = known.get(channelId)?.get(agentId)?.has(threadId) === true;
    forget(agentId, place);
    const { changed, untilMs } = await turns.end(channelId, agentId, threadId);
    // Redis may have lost a turn that this hub's clients have seen.
    if (changed || wasKnown) publish(channelId, idleOf(agentId, threadId, untilMs));
  }

  const offChange = tracker.onChange((channelId, { agentId, status }) => {
    if (status !== 'offline') return;
    for (const { place } of known.get(channelId)?.get(agentId)?.values() ?? [])
      end(agentId, place).catch(logFailure);
  });

  async function endUnlessPresent(agentId: string, place: TypingPlace): Promise<void> {
    const { presence } = await tracker.get(place.channelId, agentId);
    if (presence === null) await end(agentId, place);
  }

  return {
    /** `hasSocket` is true when the call came over a socket. */
    async set(
      agentId: string,
      { channelId, threadId, state, label, queueDepth }: ParamsOf<'turn.set'>,
      hasSocket: boolean,
    ): Promise<void> {
      const place = { channelId, threadId };
      if (state === 'idle') return end(agentId, place);
      const places = turns.placesOf(agentId);
      const isNew = !places.some(
        (other) => other.channelId === channelId && other.threadId === threadId,
      );
      const [oldest] = places;
      if (isNew && oldest && places.length >= maxPlaces) await end(agentId, oldest);
      const turn = { state, label, queueDepth };
      const { untilMs, changed } = await turns.set(channelId, agentId, threadId, turn);
      // The socket closed during the call, so only the end of the lease would end the turn.
      if (hasSocket && !deps.isConnected(agentId)) return endUnlessPresent(agentId, place);
      const entry = remember(agentId, place);
      const nowMs = performance.now();
      if (!changed && nowMs - entry.publishedMs < renewalEveryMs) return;
      entry.publishedMs = nowMs;
      publish(channelId, { agentId, threadId, ...turn, untilMs });
    },
    list: (channelId: string) => turns.list(channelId),
    latestOf: (agentId: string) => turns.latestOf(agentId),
    /**
     * Call it when the agent's last socket at this hub was closed, after its presence has ended. Turns continue where
     * the agent is present through another hub.
     */
    disconnected(agentId: string): void {
      for (const place of turns.placesOf(agentId))
        endUnlessPresent(agentId, place).catch(logFailure);
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
