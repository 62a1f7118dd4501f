import { decodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import { createTypingWatch, type SharedTyping } from '@openclaw/typing';
import type { Logger } from 'pino';
import type { Caller } from '../calls/handler.ts';
import type { EncodeEphemeral } from '../channels/ephemeral.ts';
import type { Publisher } from '../channels/publisher.ts';
import type { Rooms } from '../channels/rooms.ts';
import type { Session } from '../sockets/session.ts';

/** Connects typing with this hub's sockets. A change is sent as one event; a refresh sends nothing. */
export function createTypingFeed(deps: {
  readonly typing: SharedTyping;
  readonly rooms: Rooms;
  readonly publisher: Pick<Publisher, 'publishEphemeral'>;
  readonly encodeEphemeral: EncodeEphemeral;
  readonly log: Logger;
}) {
  const { typing, rooms, publisher, log } = deps;
  /** The agents that are typing, here or on another hub: channelId → agentId → threadId. */
  const typists = new Map<string, Map<string, string | null>>();
  /** The channels in which each open socket started typing. */
  const startedBy = new WeakMap<Session, Set<string>>();
  const logNotStopped = (error: unknown) =>
    log.debug({ err: error }, 'typing was not stopped; it expires');

  const watch = createTypingWatch({
    typing,
    onError: logNotStopped,
    onExpired(channelId, agentId) {
      const threadId = forget(channelId, agentId);
      // Nothing is published, because every hub watches for expired typing itself.
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

  const isTyping = (channelId: string, agentId: string) =>
    typists.get(channelId)?.has(agentId) ?? false;

  function noteStop(session: Session | null, channelId: string): void {
    if (session) startedBy.get(session)?.delete(channelId);
  }

  async function stop(agentId: string, channelId: string): Promise<void> {
    const threadId = forget(channelId, agentId);
    const { changed } = await typing.stop(channelId, agentId);
    if (!changed) return;
    publisher.publishEphemeral(
      { type: 'channel.typing', channelId, agentId, typing: false, threadId },
      agentId,
    );
  }

  return {
    async start(
      { identity: { agentId }, session }: Caller,
      channelId: string,
      threadId: string | null,
    ) {
      // The socket closed while its membership was read, so nothing would stop a typing that starts now.
      if (session && !session.isOpen) return;
      // The start is recorded before Redis answers, so that a message sent meanwhile stops the typing.
      if (session) startedBy.set(session, (startedBy.get(session) ?? new Set()).add(channelId));
      remember(channelId, agentId, threadId);
      const { changed } = await typing.start(channelId, agentId);
      // Typing was stopped meanwhile, perhaps before Redis received the start.
      if (session && !(session.isOpen && startedBy.get(session)?.has(channelId))) {
        return stop(agentId, channelId);
      }
      if (!changed) return;
      publisher.publishEphemeral(
        { type: 'channel.typing', channelId, agentId, typing: true, threadId },
        agentId,
      );
    },
    stop({ identity, session }: Caller, channelId: string) {
      noteStop(session, channelId);
      return stop(identity.agentId, channelId);
    },
    /** Call it when the agent sent a message, which ends its typing. Costs nothing when it was not typing. */
    messageSent({ identity: { agentId }, session }: Caller, channelId: string) {
      noteStop(session, channelId);
      if (isTyping(channelId, agentId)) stop(agentId, channelId).catch(logNotStopped);
    },
    /** Call it when the socket is closed, which ends the typing that it started. */
    disconnect(session: Session) {
      const { agentId } = session;
      for (const channelId of startedBy.get(session) ?? []) {
        if (isTyping(channelId, agentId)) stop(agentId, channelId).catch(logNotStopped);
      }
      startedBy.delete(session);
    },
    list: (channelId: string) => typing.list(channelId),
    onEvent(encoded: EncodedEnvelope) {
      const event = decodeEnvelope(encoded.json)?.envelope.event;
      if (event?.type !== 'channel.typing') return;
      const { channelId, agentId, threadId } = event;
      if (event.typing) remember(channelId, agentId, threadId);
      else forget(channelId, agentId);
    },
    close: () => watch.close(),
  };
}

export type TypingFeed = ReturnType<typeof createTypingFeed>;
