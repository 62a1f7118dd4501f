import { randomUUID } from 'node:crypto';
import {
  decodeEnvelope,
  encodeEnvelope,
  type EncodedEnvelope,
  type ResultOf,
} from '@openclaw/protocol';
import { createTypingWatch, type SharedTyping } from '@openclaw/typing';
import type { Logger } from 'pino';
import type { Caller } from '../calls/answer.ts';
import type { KindOf, Publisher } from '../channels/publisher.ts';
import type { Rooms } from '../channels/rooms.ts';
import type { Session } from '../sockets/session.ts';

/** Who is typing, as the hub's sockets see it: one event per change, none for a refresh. */
export interface TypingFeed {
  start(caller: Caller, channelId: string, threadId: string | null): Promise<void>;
  stop(caller: Caller, channelId: string): Promise<void>;
  /** The agent sent a message: it types no longer. Costs nothing when it was not typing. */
  sent(caller: Caller, channelId: string): void;
  /** The socket is gone: what was typed through it is typed no longer. */
  gone(session: Session): void;
  list(channelId: string): Promise<ResultOf<'typing.list'>>;
  /** A typing event of any hub came by. */
  saw(event: EncodedEnvelope): void;
  close(): void;
}

export interface TypingFeedDeps {
  readonly typing: SharedTyping;
  readonly rooms: Rooms;
  readonly publisher: Pick<Publisher, 'ephemeral'>;
  readonly epoch: () => string;
  readonly kindOf: KindOf;
  readonly log: Logger;
}

/** Creates the feed over the typing package. */
export function createTypingFeed(deps: TypingFeedDeps): TypingFeed {
  const { typing, rooms, publisher, log } = deps;
  /** Who has started, through this hub or seen by its rooms, and not stopped: channelId → agentId → threadId. */
  const typists = new Map<string, Map<string, string | null>>();
  const notStopped = (error: unknown) =>
    log.debug({ err: error }, 'typing was not stopped; it expires');

  const watch = createTypingWatch({
    typing,
    onError: notStopped,
    onExpired(channelId, agentId) {
      const threadId = forget(channelId, agentId);
      // Every hub times it for its own sockets, so nothing is published.
      rooms.get(channelId)?.broadcast(
        encodeEnvelope({
          id: randomUUID(),
          event: { type: 'channel.typing', channelId, agentId, typing: false, threadId },
          timestamp: Date.now(),
          senderId: agentId,
          senderKind: deps.kindOf(agentId),
          channelId,
          seq: null,
          epoch: deps.epoch(),
        }),
      );
    },
  });

  function remember(channelId: string, agentId: string, threadId: string | null): void {
    const agents = typists.get(channelId);
    if (agents) agents.set(agentId, threadId);
    else typists.set(channelId, new Map([[agentId, threadId]]));
    watch.started(channelId, agentId);
  }

  function forget(channelId: string, agentId: string): string | null {
    const agents = typists.get(channelId);
    const threadId = agents?.get(agentId) ?? null;
    agents?.delete(agentId);
    if (agents?.size === 0) typists.delete(channelId);
    watch.stopped(channelId, agentId);
    return threadId;
  }

  async function stop(agentId: string, channelId: string): Promise<void> {
    const threadId = forget(channelId, agentId);
    const { changed } = await typing.stop(channelId, agentId);
    if (!changed) return;
    publisher.ephemeral(
      { type: 'channel.typing', channelId, agentId, typing: false, threadId },
      agentId,
    );
  }

  return {
    async start({ identity: { agentId }, session }, channelId, threadId) {
      // It closed while its membership was read: nobody would stop what started now.
      if (session && !session.isOpen) return;
      // Noted before Redis is asked, so that a message sent meanwhile knows that there is something to stop.
      session?.typingIn.add(channelId);
      remember(channelId, agentId, threadId);
      const { changed } = await typing.start(channelId, agentId);
      // Stopped meanwhile, perhaps before Redis took the start.
      if (session && !(session.isOpen && session.typingIn.has(channelId))) {
        return stop(agentId, channelId);
      }
      if (!changed) return;
      publisher.ephemeral(
        { type: 'channel.typing', channelId, agentId, typing: true, threadId },
        agentId,
      );
    },
    stop({ identity, session }, channelId) {
      session?.typingIn.delete(channelId);
      return stop(identity.agentId, channelId);
    },
    sent({ identity: { agentId }, session }, channelId) {
      session?.typingIn.delete(channelId);
      if (typists.get(channelId)?.has(agentId)) stop(agentId, channelId).catch(notStopped);
    },
    gone({ agentId, typingIn }) {
      for (const channelId of typingIn) {
        if (typists.get(channelId)?.has(agentId)) stop(agentId, channelId).catch(notStopped);
      }
    },
    list: (channelId) => typing.list(channelId),
    saw(encoded) {
      const event = decodeEnvelope(encoded.json)?.envelope.event;
      if (event?.type !== 'channel.typing') return;
      const { channelId, agentId, threadId } = event;
      if (event.typing) remember(channelId, agentId, threadId);
      else forget(channelId, agentId);
    },
    close: () => watch.close(),
  };
}
