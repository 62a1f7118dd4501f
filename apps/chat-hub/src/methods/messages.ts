import type { Loaded } from '@openclaw/cache';
import { directChannelId } from '@openclaw/chat-store';
import { recentMessagesMax } from '@openclaw/key-schema';
import {
  isReservedName,
  refuse,
  type Message,
  type ParamsOf,
  type ResultOf,
} from '@openclaw/protocol';
import { answer, type Answer, type Caller, type Handlers } from '../calls/handler.ts';
import { asHub, refuseNonAdmin } from '../edge/identity.ts';
import { cachedRead, RefusedLoad, UncachedLoad } from './cached-reads.ts';
import type { DirectSend } from './creation-limit.ts';
import type { MethodDeps } from './method-deps.ts';
import { readersOf, reads, writes } from './store-methods.ts';

/** A newest page with more bytes is not cached, because every reader of the cache parses it again. */
const cachedPageBytes = 262_144;

/**
 * `parseMentions` defaults to true over REST, because scripts write mentions into the text. It defaults to false over
 * WebSocket, because programs name the agents in `mentions`.
 */
export function withMentions<P extends { readonly parseMentions: boolean | null }>(
  { transport }: Caller,
  params: P,
): P {
  return { ...params, parseMentions: params.parseMentions ?? transport === 'rest' };
}

export function messageMethods(deps: MethodDeps, directSend: DirectSend) {
  const { store, cache, publisher, writer, typing } = deps;
  const readHistory = reads(deps, 'message.history');

  async function newestMessages(channelId: string): Promise<Loaded<readonly Message[]>> {
    const params = { channelId, before: null, after: null, threadId: null };
    const read = await store.readJson(
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
    // The text of a streaming message changes without an event of the log, so the page is not cached.
    if (messages.some(({ state }) => state === 'streaming'))
      throw new UncachedLoad({ value: messages, head });
    return { value: messages, head };
  }

  async function isAnyBefore(channelId: string, before: number, turnOf: string): Promise<boolean> {
    const params = { channelId, before, after: null, threadId: null, limit: 1 };
    const read = await store.read(asHub, 'message.history', params, turnOf);
    // Without the database, this assumes that there are older messages. If there are none, the next page says so.
    return read.ok ? read.result.messages.length > 0 : true;
  }

  async function newestPage(
    caller: Caller,
    params: ParamsOf<'message.history'>,
  ): Promise<Answer<'message.history'>> {
    const { channelId, limit } = params;
    const { agentId } = caller.identity;
    const load = () => newestMessages(channelId);
    const view = cache.recentMessages;
    const read = await cachedRead(store, caller, channelId, view, load, 'members');
    if (!read) return readHistory(caller, params);
    if (!read.ok) return read;
    // A trim does not change the head, so the cached page may still hold trimmed messages.
    const kept = read.value.filter(({ seq }) => seq >= read.floor);
    const messages = kept.slice(-limit);
    const oldest = messages[0];
    // A cache entry with the maximum number of messages does not show whether there are older ones.
    const hasMore =
      messages.length < kept.length ||
      (oldest !== undefined &&
        kept.length === recentMessagesMax &&
        (await isAnyBefore(channelId, oldest.seq, agentId)));
    return answer({ messages, head: read.head, hasMore });
  }

  return {
    async 'message.send'(caller, params) {
      const sent = await writer.write(caller, 'message.send', withMentions(caller, params));
      if (sent.ok) typing.messageSent(caller, params);
      return sent;
    },
    'message.edit': writes(deps, 'message.edit'),
    'message.delete': writes(deps, 'message.delete'),
    'message.get': reads(deps, 'message.get'),
    'message.search': reads(deps, 'message.search'),
    'message.history'(caller, params) {
      const isNewest = params.before === null && params.after === null && params.threadId === null;
      return isNewest && params.limit <= recentMessagesMax
        ? newestPage(caller, params)
        : readHistory(caller, params);
    },
    async 'direct.send'(caller, params) {
      const channelId = directChannelId(caller.identity.agentId, params.agentId);
      const sent = await directSend(caller, channelId, 'direct.send', withMentions(caller, params));
      if (sent.ok) typing.messageSent(caller, { channelId, threadId: null });
      return sent;
    },
    'reaction.add': writes(deps, 'reaction.add'),
    'reaction.remove': writes(deps, 'reaction.remove'),
    'log.read': reads(deps, 'log.read'),
    'read.mark': writes(deps, 'read.mark'),
    'read.state': reads(deps, 'read.state'),
    'inbox.read': reads(deps, 'inbox.read'),
    'inbox.ack': writes(deps, 'inbox.ack'),
    'collaboration.emit'(caller, params) {
      const { channelId, name, payload } = params;
      if (isReservedName(name))
        return refuse('forbidden', 'only the hub emits events with such a name');
      if (channelId !== null) return writer.write(caller, 'collaboration.emit', params);
      const refusal =
        refuseNonAdmin(caller.identity, 'send to everyone') ?? writer.refuseFrozen(caller.identity);
      if (refusal) return refusal;
      const event = { type: 'collaboration.event', channelId, name, payload } as const;
      publisher.publishGlobal(event, caller.identity);
      return answer({ seq: null });
    },
  } satisfies Partial<Handlers>;
}
