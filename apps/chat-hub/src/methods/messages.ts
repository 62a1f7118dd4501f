import { ChatStoreError, directChannelId } from '@openclaw/chat-store';
import { isContentTooLarge, limits, type Message, type ParamsOf } from '@openclaw/protocol';
import { notMember, write, writes, type Hub } from '../hub.ts';
import { answer, refuse, type Answer, type Caller, type Handlers } from '../rpc/answer.ts';

const tooLarge = () =>
  refuse('too_large', `content is limited to ${limits.contentBytes} bytes of UTF-8`);

/** message.*, direct.send, reaction.* and log.read: what is said, and what was. */
export function messageMethods(
  hub: Hub,
): Pick<
  Handlers,
  | 'message.send'
  | 'message.edit'
  | 'message.delete'
  | 'message.history'
  | 'direct.send'
  | 'reaction.add'
  | 'reaction.remove'
  | 'log.read'
> {
  // The newest page of a channel is what everyone asks for first: it comes from the cache, the rights from the store
  // (or the live room). With the database away a live socket still gets what memory holds.
  async function newestPage(
    caller: Caller,
    params: ParamsOf<'message.history'>,
  ): Promise<Answer<'message.history'>> {
    const { channelId, limit } = params;
    const refusal = await notMember(hub, caller, channelId);
    if (refusal) return refusal;
    const load = async () => {
      const page = await hub.store.read(
        { agentId: caller.identity.agentId, isAdmin: true },
        'message.history',
        {
          ...params,
          limit: limits.defaultPage,
        },
      );
      if (!page.ok) throw new ChatStoreError('unavailable', page.message);
      return { value: page.result.messages, head: page.result.head };
    };
    const { value, head } = await hub.cache.recentMessages(channelId, load);
    const messages = value.slice(-limit);
    const hasMore = messages.length < value.length || value.length === limits.defaultPage;
    return answer({ messages: messages as Message[], head, hasMore });
  }

  return {
    'message.send'(caller, params) {
      if (isContentTooLarge(params.content)) return tooLarge();
      hub.typing.stopped(caller, params.channelId);
      return write(hub, caller, 'message.send', params);
    },
    'message.edit': (caller, params) =>
      isContentTooLarge(params.content) ? tooLarge() : write(hub, caller, 'message.edit', params),
    'message.delete': writes(hub, 'message.delete'),
    async 'message.history'(caller, params) {
      const isNewest = params.before === null && params.after === null && params.threadId === null;
      if (isNewest && params.limit <= limits.defaultPage) return newestPage(caller, params);
      return hub.store.read(caller.identity, 'message.history', params);
    },
    'direct.send'(caller, params) {
      if (isContentTooLarge(params.content)) return tooLarge();
      const channelId = directChannelId(caller.identity.agentId, params.agentId);
      hub.typing.stopped(caller, channelId);
      return write(hub, caller, 'direct.send', params);
    },
    'reaction.add': writes(hub, 'reaction.add'),
    'reaction.remove': writes(hub, 'reaction.remove'),
    async 'log.read'(caller, params) {
      const refusal = await notMember(hub, caller, params.channelId);
      if (refusal) return refusal;
      const { channelId, after, limit } = params;
      const { events, head } = await hub.store.logPage(channelId, after, limit, limits.resumeBytes);
      const last = events.at(-1)?.seq ?? head;
      const texts = events.map((event) => event.json).join(',');
      return {
        ok: true,
        resultJson: () => `{"events":[${texts}],"head":${head},"hasMore":${last < head}}`,
      };
    },
  };
}
