import { directChannelId } from '@openclaw/chat-store';
import { recentMessagesMax } from '@openclaw/key-schema';
import { isContentTooLarge, limits, type ParamsOf } from '@openclaw/protocol';
import { cachedRead, RefusedLoad } from '../cached-reads.ts';
import { asHub, notMember, readersOf, write, writes, type Hub } from '../hub.ts';
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
  // The newest page of a channel is what everyone asks for first.
  async function newestPage(
    caller: Caller,
    params: ParamsOf<'message.history'>,
  ): Promise<Answer<'message.history'>> {
    const { channelId, limit } = params;
    const page = async (before: number | null, size: number, turnOf: string) => {
      const wanted = { ...params, before, limit: size };
      const read = await hub.store.read(asHub, 'message.history', wanted, turnOf);
      if (!read.ok) throw new RefusedLoad(read);
      return read.result;
    };
    const load = async () => {
      const { messages, head } = await page(null, recentMessagesMax, readersOf(channelId));
      return { value: messages, head };
    };
    const read = await cachedRead(
      hub,
      caller,
      channelId,
      hub.cache.recentMessages,
      load,
      'members',
    );
    if (!read.ok) return read;
    const messages = read.value.slice(-limit);
    const oldest = messages[0];
    // A cache that is full does not say whether there are older ones.
    const hasMore =
      messages.length < read.value.length ||
      (oldest !== undefined &&
        read.value.length === recentMessagesMax &&
        (await page(oldest.seq, 1, caller.identity.agentId)).messages.length > 0);
    return answer({ messages, head: read.head, hasMore });
  }

  return {
    'message.send'(caller, params) {
      if (isContentTooLarge(params.content)) return tooLarge();
      hub.typing.sent(caller, params.channelId);
      return write(hub, caller, 'message.send', params);
    },
    'message.edit': (caller, params) =>
      isContentTooLarge(params.content) ? tooLarge() : write(hub, caller, 'message.edit', params),
    'message.delete': writes(hub, 'message.delete'),
    async 'message.history'(caller, params) {
      const isNewest = params.before === null && params.after === null && params.threadId === null;
      if (isNewest && params.limit <= recentMessagesMax) return newestPage(caller, params);
      return hub.store.read(caller.identity, 'message.history', params);
    },
    'direct.send'(caller, params) {
      if (isContentTooLarge(params.content)) return tooLarge();
      const channelId = directChannelId(caller.identity.agentId, params.agentId);
      hub.typing.sent(caller, channelId);
      return write(hub, caller, 'direct.send', params);
    },
    'reaction.add': writes(hub, 'reaction.add'),
    'reaction.remove': writes(hub, 'reaction.remove'),
    async 'log.read'(caller, params) {
      const refusal = await notMember(hub, caller, params.channelId);
      if (refusal) return refusal;
      const { channelId, after, limit } = params;
      const { agentId } = caller.identity;
      const maxBytes = limits.resumeBytes;
      const { events, head } = await hub.store.logPage(channelId, after, limit, maxBytes, agentId);
      const last = events.at(-1)?.seq ?? head;
      const texts = events.map((event) => event.json).join(',');
      return {
        ok: true,
        resultJson: () => `{"events":[${texts}],"head":${head},"hasMore":${last < head}}`,
      };
    },
  };
}
