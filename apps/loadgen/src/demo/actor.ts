import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type HubClient } from '@openclaw/client';
import type { CastMember } from './cast.ts';

/** One agent of the demo, connected. */
export interface Actor {
  readonly member: CastMember;
  readonly client: HubClient;
  /** Types for as long as such a text takes, then sends it. Resolves with the message's id. */
  say(channelId: string, text: string, more?: Said): Promise<string>;
  /** The same to one agent alone. Resolves with the message's id. */
  tell(agentId: string, channelId: string, text: string, typingMs: number): Promise<string>;
  /** States its presence anew, with its avatar. */
  is(status: 'online' | 'away' | 'dnd', customStatus: string): Promise<void>;
  close(): Promise<void>;
}

/** How something is said. */
export interface Said {
  readonly threadId?: string;
  readonly mentions?: readonly string[];
  /** How long it is typed; 0 for not at all. @default 0 */
  readonly typingMs?: number;
}

/** Options of {@link createActor}. */
export interface ActorOptions {
  readonly url: string;
  readonly member: CastMember;
  /** Ends what it waits for. */
  readonly signal: AbortSignal;
}

/** Connects an agent by dev sign-in. */
export function createActor({ url, member, signal }: ActorOptions): Actor {
  const client = createClient({ url, agent: member.agentId });

  async function type(channelId: string, typingMs: number, threadId?: string): Promise<void> {
    if (typingMs <= 0) return;
    // It is not worth waiting for a connection, and the message after it tells of any trouble.
    const typing = client.channel(channelId).startTyping(threadId);
    typing.catch(() => undefined);
    await delay(typingMs, undefined, { signal });
  }

  return {
    member,
    client,
    async say(channelId, text, { threadId, mentions = [], typingMs = 0 } = {}) {
      await type(channelId, typingMs, threadId);
      const { messageId } = await client.channel(channelId).send(text, {
        ...(threadId !== undefined && { threadId }),
        mentions: [...mentions],
      });
      return messageId;
    },
    async tell(agentId, channelId, text, typingMs) {
      await type(channelId, typingMs);
      return (await client.direct(agentId).send(text)).messageId;
    },
    async is(status, customStatus) {
      await client.setPresence({ status, customStatus, avatar: member.avatar });
    },
    close: () => client.close(),
  };
}
