import { randomUUID } from 'node:crypto';
import {
  decodeEnvelope,
  encodeEnvelope,
  type EncodedEnvelope,
  type ResultOf,
} from '@openclaw/protocol';
import { createTypingWatch, type SharedTyping } from '@openclaw/typing';
import type { Logger } from 'pino';
import type { Publisher } from './publisher.ts';
import type { Rooms } from './rooms.ts';

/** Who is typing, as the hub's sockets see it: one event per change, none for a refresh. */
export interface TypingFeed {
  start(agentId: string, channelId: string, threadId: string | null): Promise<void>;
  stop(agentId: string, channelId: string): Promise<void>;
  /** The agent sent a message: it types no longer. Costs nothing when it was not typing. */
  sent(agentId: string, channelId: string): void;
  /** A socket of the agent is gone: what it was typing through this hub is typed no longer. */
  gone(agentId: string): void;
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
  readonly log: Logger;
}

/** Creates the feed over the typing package. */
export function createTypingFeed(deps: TypingFeedDeps): TypingFeed {
  const { typing, rooms, publisher, log } = deps;
  /** What this hub's rooms saw start and not stop yet: channelId → agentId → threadId. */
  const seen = new Map<string, Map<string, string | null>>();
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

  function tellStopped(agentId: string, channelId: string): void {
    const threadId = seen.get(channelId)?.get(agentId) ?? null;
    publisher.ephemeral(
      { type: 'channel.typing', channelId, agentId, typing: false, threadId },
      agentId,
    );
  }

  async function stop(agentId: string, channelId: string): Promise<void> {
    const { changed } = await typing.stop(channelId, agentId);
    if (changed) tellStopped(agentId, channelId);
  }

  return {
    async start(agentId, channelId, threadId) {
      const { changed } = await typing.start(channelId, agentId);
      if (!changed) return;
      publisher.ephemeral(
        { type: 'channel.typing', channelId, agentId, typing: true, threadId },
        agentId,
      );
    },
    stop,
    sent(agentId, channelId) {
      if (seen.get(channelId)?.has(agentId)) stop(agentId, channelId).catch(notStopped);
    },
    gone(agentId) {
      typing.stopAll(agentId).then(({ channelIds }) => {
        for (const channelId of channelIds) tellStopped(agentId, channelId);
      }, notStopped);
    },
    list: (channelId) => typing.list(channelId),
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
    close: () => watch.close(),
  };
}
