import type { Loaded } from '@openclaw/cache';
import { directChannelId } from '@openclaw/chat-store';
import { recentMessagesMax } from '@openclaw/key-schema';
import {
  isContentTooLarge,
  limits,
  type Message,
  type ParamsOf,
  type ResultOf,
} from '@openclaw/protocol';
import { cachedRead, RefusedLoad, UncachedLoad } from './cached-reads.ts';
import { createDirectSend } from './creation-limit.ts';
import { asHub, readersOf, reads, write, writes, type Hub } from './hub.ts';
import { answer, refuse, type Answer, type Caller, type Handlers } from '../calls/answer.ts';

/** A longer newest page is not cached: what is cached is parsed, and serialized again, for each who asks. */
const cachedPageBytes = 262_144;

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
  const readHistory = reads(hub, 'message.history');

  async function newestMessages(channelId: string): Promise<Loaded<readonly Message[]>> {
    const params = { channelId, before: null, after: null, threadId: null };
    const read = await hub.store.readJson(
      asHub,
      'message.history',
      { ...params, limit: recentMessagesMax },
      cachedPageBytes,
      readersOf(channelId),
    );
    if (!read.ok) throw new RefusedLoad(read);
    const json = Buffer.concat(read.json).toString();
    const { messages, head, hasMore } = JSON.parse(json) as ResultOf<'message.history'>;
    if (hasMore && messages.length < recentMessagesMax) throw new UncachedLoad();
    return { value: messages, head };
  }

  async function isAnyBefore(channelId: string, before: number, turnOf: string): Promise<boolean> {
    const params = { channelId, before, after: null, threadId: null, limit: 1 };
    const read = await hub.store.read(asHub, 'message.history', params, turnOf);
    // While the database is away there may be some: the next page says.
    return read.ok ? read.result.messages.length > 0 : true;
  }

  // The newest page of a channel is what everyone asks for first.
  async function newestPage(
    caller: Caller,
    params: ParamsOf<'message.history'>,
  ): Promise<Answer<'message.history'>> {
    const { channelId, limit } = params;
    const { agentId } = caller.identity;
    const read = await cachedRead(
      hub,
      caller,
      channelId,
      hub.cache.recentMessages,
      () => newestMessages(channelId),
      'members',
    );
    if (!read) return readHistory(caller, params);
    if (!read.ok) return read;
    const messages = read.value.slice(-limit);
    const oldest = messages[0];
    // A cache that is full does not say whether there are older ones.
    const hasMore =
      messages.length < read.value.length ||
      (oldest !== undefined &&
        read.value.length === recentMessagesMax &&
        (await isAnyBefore(channelId, oldest.seq, agentId)));
    return answer({ messages, head: read.head, hasMore });
  }

  const directSend = createDirectSend(hub);

  return {
    'message.send'(caller, params) {
      if (isContentTooLarge(params.content)) return tooLarge();
      hub.typing.messageSent(caller, params.channelId);
      return write(hub, caller, 'message.send', params);
    },
    'message.edit': (caller, params) =>
      isContentTooLarge(params.content) ? tooLarge() : write(hub, caller, 'message.edit', params),
    'message.delete': writes(hub, 'message.delete'),
    'message.history'(caller, params) {
      const isNewest = params.before === null && params.after === null && params.threadId === null;
      return isNewest && params.limit <= recentMessagesMax
        ? newestPage(caller, params)
        : readHistory(caller, params);
    },
    'direct.send'(caller, params) {
      if (isContentTooLarge(params.content)) return tooLarge();
      const channelId = directChannelId(caller.identity.agentId, params.agentId);
      hub.typing.messageSent(caller, channelId);
      return directSend(caller, channelId, params);
    },
    'reaction.add': writes(hub, 'reaction.add'),
    'reaction.remove': writes(hub, 'reaction.remove'),
    'log.read': reads(hub, 'log.read'),
  };
}
