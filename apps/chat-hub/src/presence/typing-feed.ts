import { decodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import { createTypingWatch, type SharedTyping, type TypingPlace } from '@openclaw/typing';
import type { Logger } from 'pino';
import type { Caller } from '../calls/handler.ts';
import type { EncodeEphemeral } from '../channels/ephemeral.ts';
import type { Publisher } from '../channels/publisher.ts';
import type { Rooms } from '../channels/rooms.ts';
import type { Session } from '../sockets/session.ts';

/**
 * A socket's typing is remembered in at most this many channels and threads. Past this number, the oldest typing ends.
 * A client may choose any thread id, so a socket could otherwise fill the memory of Redis.
 */
const maxPlaces = 50;

/** Publishes one event for each change. A start that only renews the typing publishes nothing. */
export function createTypingFeed(deps: {
  readonly typing: SharedTyping;
  readonly rooms: Rooms;
  readonly publisher: Pick<Publisher, 'publishEphemeral'>;
  readonly encodeEphemeral: EncodeEphemeral;
  readonly log: Logger;
}) {
  const { typing, rooms, publisher, log } = deps;
  const startedBy = new WeakMap<Session, Map<string, TypingPlace>>();
  const logNotStopped = (error: unknown) =>
    log.debug({ err: error }, 'typing was not stopped; it expires');

  const watch = createTypingWatch({
    typing,
    onError: logNotStopped,
    onExpired(channelId, agentId, threadId) {
      // Every hub watches for expired typing itself, so nothing is published.
      rooms
        .get(channelId)
        ?.broadcast(
          deps.encodeEphemeral(
            { type: 'channel.typing', channelId, agentId, typing: false, threadId },
            agentId,
          ),
        );
    },
  });

  const isTyping = (agentId: string, { channelId, threadId }: TypingPlace) =>
    watch.has(channelId, agentId, threadId);

  /** If the socket types in too many channels and threads, returns the one whose typing must end. */
  function recordStart(session: Session, place: TypingPlace): TypingPlace | undefined {
    const places = startedBy.get(session) ?? new Map<string, TypingPlace>();
    startedBy.set(session, places);
    places.delete(keyOf(place));
    places.set(keyOf(place), place);
    if (places.size <= maxPlaces) return undefined;
    const [oldest] = places.values();
    if (oldest) places.delete(keyOf(oldest));
    return oldest;
  }

  function recordStop(session: Session | null, place: TypingPlace): void {
    if (session) startedBy.get(session)?.delete(keyOf(place));
  }

  function publish(agentId: string, { channelId, threadId }: TypingPlace, isStart: boolean): void {
    publisher.publishEphemeral(
      { type: 'channel.typing', channelId, agentId, typing: isStart, threadId },
      agentId,
    );
  }

  async function stop(agentId: string, place: TypingPlace): Promise<void> {
    const { channelId, threadId } = place;
    watch.stopped(channelId, agentId, threadId);
    const { changed } = await typing.stop(channelId, agentId, threadId);
    if (changed) publish(agentId, place, false);
  }

  function stopIfTyping(agentId: string, place: TypingPlace): void {
    if (isTyping(agentId, place)) stop(agentId, place).catch(logNotStopped);
  }

  return {
    async start({ identity: { agentId }, session }: Caller, place: TypingPlace) {
      // The socket was closed while its membership was read, so no later call would stop the typing.
      if (session && !session.isOpen) return;
      // The start is recorded before Redis answers, so that a message sent in the meantime stops the typing.
      const dropped = session ? recordStart(session, place) : undefined;
      if (dropped) stopIfTyping(agentId, dropped);
      const { channelId, threadId } = place;
      watch.started(channelId, agentId, threadId);
      const { changed } = await typing.start(channelId, agentId, threadId);
      // Typing was stopped during the call, perhaps before Redis received the start.
      if (session && !(session.isOpen && startedBy.get(session)?.has(keyOf(place)))) {
        return stop(agentId, place);
      }
      if (changed) publish(agentId, place, true);
    },
    stop({ identity, session }: Caller, place: TypingPlace) {
      recordStop(session, place);
      return stop(identity.agentId, place);
    },
    /**
     * Call it when the agent sent a message, which ends its typing there. Costs nothing when the agent was not
     * typing.
     */
    messageSent({ identity: { agentId }, session }: Caller, place: TypingPlace) {
      recordStop(session, place);
      stopIfTyping(agentId, place);
    },
    disconnect(session: Session) {
      for (const place of startedBy.get(session)?.values() ?? []) {
        stopIfTyping(session.agentId, place);
      }
      startedBy.delete(session);
    },
    /** Without a thread, lists the agents that are typing anywhere in the channel. */
    list: (channelId: string, threadId: string | null) =>
      typing.list(channelId, threadId ?? undefined),
    onEvent(encoded: EncodedEnvelope) {
      const event = decodeEnvelope(encoded.json)?.envelope.event;
      if (event?.type !== 'channel.typing') return;
      const { channelId, agentId, threadId } = event;
      if (event.typing) watch.started(channelId, agentId, threadId);
      else watch.stopped(channelId, agentId, threadId);
    },
    close: () => watch.close(),
  };
}

/** No id contains a colon. */
const keyOf = ({ channelId, threadId }: TypingPlace) => `${channelId}:${threadId ?? ''}`;

export type TypingFeed = ReturnType<typeof createTypingFeed>;
