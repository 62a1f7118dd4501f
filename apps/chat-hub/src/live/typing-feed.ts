import { createTypingWatch, type Typing } from '@openclaw/typing';
import type { EncodedEnvelope, ResultOf } from '@openclaw/protocol';
import { decodeEnvelope, encodeEnvelope } from '@openclaw/protocol';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Caller } from '../rpc/answer.ts';
import type { Publisher } from './publisher.ts';
import type { Rooms } from './rooms.ts';
import type { Session } from './session.ts';

/** Who is typing, as the hub's sockets see it: one event per change, none for a refresh. */
export interface TypingFeed {
  start(caller: Caller, channelId: string, threadId: string | null): Promise<void>;
  stop(agentId: string, channelId: string): Promise<void>;
  /** The agent sent a message: it types no longer. Costs nothing when it was not typing. */
  stopped(caller: Caller, channelId: string): void;
  /** The agent's socket is gone: what it was typing is typed no longer. */
  gone(session: Session): void;
  list(channelId: string): Promise<ResultOf<'typing.list'>>;
  /** A typing event of any hub came by. */
  saw(event: EncodedEnvelope): void;
  close(): void;
}

export interface TypingFeedDeps {
  readonly typing: Typing;
  readonly rooms: Rooms;
  readonly publisher: Pick<Publisher, 'ephemeral'>;
  readonly epoch: () => string;
  readonly log: Logger;
}

/** Creates the feed over the typing package. */
export function createTypingFeed(deps: TypingFeedDeps): TypingFeed {
  const { typing, rooms, publisher, log } = deps;
  /** What this hub's rooms saw start and not stop yet: channelId → agentId → threadId. */
  const seen = new Map<string, Map<string, string | null>>();
  /** The sockets that started typing here: session → channelIds. */
  const startedBy = new Map<Session, Set<string>>();

  const watch = createTypingWatch({
    typing,
    onExpired(channelId, agentId) {
      const threadId = forget(channelId, agentId);
      // Every hub times it for its own sockets, so nothing is published.
      rooms.get(channelId)?.broadcast(
        encodeEnvelope({
          id: randomUUID(),
          event: { type: 'channel.typing', channelId, agentId, typing: false, threadId },
          timestamp: Date.now(),
          senderId: agentId,
          channelId,
          seq: null,
          epoch: deps.epoch(),
        }),
      );
    },
  });

  function forget(channelId: string, agentId: string): string | null {
    const agents = seen.get(channelId);
    const threadId = agents?.get(agentId) ?? null;
    agents?.delete(agentId);
    if (agents?.size === 0) seen.delete(channelId);
    return threadId;
  }

  async function stop(agentId: string, channelId: string): Promise<void> {
    const threadId = seen.get(channelId)?.get(agentId) ?? null;
    if (!(await typing.stop(channelId, agentId))) return;
    publisher.ephemeral(
      { type: 'channel.typing', channelId, agentId, typing: false, threadId },
      agentId,
    );
  }

  const stopQuietly = (agentId: string, channelId: string) => {
    stop(agentId, channelId).catch((error: unknown) =>
      log.debug({ err: error }, 'typing was not stopped; it expires'),
    );
  };

  return {
    async start(caller, channelId, threadId) {
      const { agentId } = caller.identity;
      if (caller.session) {
        const channels = startedBy.get(caller.session);
        if (channels) channels.add(channelId);
        else startedBy.set(caller.session, new Set([channelId]));
      }
      if (!(await typing.start(channelId, agentId))) return;
      publisher.ephemeral(
        { type: 'channel.typing', channelId, agentId, typing: true, threadId },
        agentId,
      );
    },
    stop,
    stopped(caller, channelId) {
      const { agentId } = caller.identity;
      if (caller.session) startedBy.get(caller.session)?.delete(channelId);
      if (seen.get(channelId)?.has(agentId)) stopQuietly(agentId, channelId);
    },
    gone(session) {
      const channels = startedBy.get(session);
      startedBy.delete(session);
      for (const channelId of channels ?? []) stopQuietly(session.agentId, channelId);
    },
    async list(channelId) {
      const { agents, degraded } = await typing.list(channelId);
      return { agents: [...agents], degraded };
    },
    saw(encoded) {
      const event = decodeEnvelope(encoded.json)?.envelope.event;
      if (event?.type !== 'channel.typing') return;
      const { channelId, agentId, threadId } = event;
      if (!event.typing) {
        forget(channelId, agentId);
        watch.stopped(channelId, agentId);
        return;
      }
      const agents = seen.get(channelId);
      if (agents) agents.set(agentId, threadId);
      else seen.set(channelId, new Map([[agentId, threadId]]));
      watch.started(channelId, agentId);
    },
    close() {
      watch.close();
    },
  };
}
