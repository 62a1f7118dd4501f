import type { ChatStore } from '@openclaw/chat-store';
import { answer, type Caller, type Handlers } from '../calls/handler.ts';
import type { PresenceFeed } from '../presence/presence-feed.ts';
import type { TypingFeed } from '../presence/typing-feed.ts';
import { notMember } from './rights.ts';

export interface PresenceDeps {
  readonly store: Pick<ChatStore, 'access'>;
  readonly presence: Pick<PresenceFeed, 'set' | 'list'>;
  readonly typing: Pick<TypingFeed, 'start' | 'stop' | 'list'>;
}

/** Handlers of presence.* and typing.*. This state is kept in Redis and may be lost without harm. */
export function presenceMethods({ store, presence, typing }: PresenceDeps) {
  const refusalOf = (caller: Caller, channelId: string) => notMember(store, caller, channelId);
  return {
    async 'presence.set'({ session }, params) {
      await presence.set(session, params);
      return answer({});
    },
    async 'presence.list'(caller, { channelId, cursor, limit }) {
      const found = await presence.list(channelId, cursor, limit);
      return (await refusalOf(caller, channelId)) ?? answer(found);
    },
    async 'typing.start'(caller, { channelId, threadId }) {
      const refusal = await refusalOf(caller, channelId);
      if (refusal) return refusal;
      await typing.start(caller, channelId, threadId);
      return answer({});
    },
    async 'typing.stop'(caller, { channelId }) {
      const refusal = await refusalOf(caller, channelId);
      if (refusal) return refusal;
      await typing.stop(caller, channelId);
      return answer({});
    },
    async 'typing.list'(caller, { channelId }) {
      const found = await typing.list(channelId);
      return (await refusalOf(caller, channelId)) ?? answer(found);
    },
  } satisfies Partial<Handlers>;
}
