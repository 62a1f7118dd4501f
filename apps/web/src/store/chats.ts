import { signal, type ReadonlySignal } from '@preact/signals';
import { HubError, type HubClient } from '@openclaw/client';
import {
  isDirectChannelId,
  type Channel,
  type ChannelEvent,
  type Envelope,
  type Message,
} from '@openclaw/protocol';
import { isOfReply } from './after-event.ts';
import { allPages } from './all-pages.ts';
import { createChat, type Chat } from './chat.ts';
import { createChatReader } from './chat-reader.ts';
import { createHistory, type History } from './history.ts';
import { peerOf } from './names.ts';
import { createReadMarks } from './read-marks.ts';
import { emptyTimeline } from './timeline.ts';
import { withoutExpired } from './typing.ts';
import { createViewReader } from './view-reader.ts';

/** The channels that this agent is a member of. */
export interface Chats {
  readonly byId: ReadonlySignal<ReadonlyMap<string, Chat>>;
  readonly isLoaded: ReadonlySignal<boolean>;
  /** Reads the list, and what is unread. */
  refresh(): Promise<void>;
  /** The same after a reconnect, and who is there. */
  reconnected(): Promise<void>;
  /** Adds a channel that somebody brought this agent into, in the background. */
  fetch(channelId: string): void;
  /** Takes in a batch of events of any channels. */
  apply(envelopes: readonly Envelope[]): void;
  /** Shows a message that the hub has stored, in case its event is late; the second of the two changes nothing. */
  showSent(message: Message): void;
  /** Adds a channel that this agent belongs to from now on. */
  add(channel: Channel): Chat;
  remove(channelId: string): void;
  historyOf(chat: Chat): History;
  /** Reads what the channel's view shows, the first time it is opened. */
  open(chat: Chat): Promise<void>;
  /** The past cannot be joined to the present: reads it anew. */
  reload(channelId: string): Promise<void>;
  /** Its seqs are of another life of the database. */
  forgetUnread(channelId: string): void;
  directWith(agentId: string): Chat | null;
  /** Says that the channel was read to its newest event. */
  markRead(chat: Chat): void;
  close(): void;
}

const pageSize = 200;
const expiryCheckMs = 3_000;

const isReply = ({ event }: Envelope) => isOfReply(event);

/** `onError` gets what went wrong in the background. */
export function createChats(
  client: HubClient,
  me: string,
  onError: (what: string, error: unknown) => void,
): Chats {
  const byId = signal<ReadonlyMap<string, Chat>>(new Map());
  const isLoaded = signal(false);
  const histories = new WeakMap<Chat, History>();
  const fetching = new Set<string>();
  const reader = createChatReader(client, onError);
  const marks = createReadMarks(client, me, onError);
  const views = createViewReader(async (chat) => {
    await Promise.all([historyOf(chat).anew(), reader.members(chat), reader.threads(chat)]);
  });
  let refreshing: Promise<void> | null = null;
  let isRefreshDue = false;
  const expiry = setInterval(() => {
    for (const chat of byId.peek().values()) {
      chat.typing.value = withoutExpired(chat.typing.peek(), Date.now());
    }
  }, expiryCheckMs);

  function add(channel: Channel): Chat {
    const known = byId.peek().get(channel.channelId);
    if (known !== undefined) {
      known.channel.value = channel;
      return known;
    }
    const chat = createChat(channel, me);
    byId.value = new Map(byId.peek()).set(chat.id, chat);
    const subscribed = client.channel(chat.id).subscribe();
    chat.followed = subscribed.then(
      () => undefined,
      () => undefined,
    );
    subscribed
      .then(() => reader.presences(chat))
      .catch((error: unknown) => {
        // A list that was asked for before the agent left still named it.
        if (isRefusal(error)) return drop(chat);
        onError(`#${channel.name} could not be followed`, error);
      });
    return chat;
  }

  function remove(channelId: string) {
    const chat = byId.peek().get(channelId);
    if (chat !== undefined) drop(chat);
  }

  function drop(chat: Chat) {
    if (byId.peek().get(chat.id) !== chat) return;
    const next = new Map(byId.peek());
    next.delete(chat.id);
    byId.value = next;
    marks.forget(chat);
    reader.forget(chat);
    views.forget(chat);
  }

  function historyOf(chat: Chat): History {
    const known = histories.get(chat);
    if (known !== undefined) return known;
    const history = createHistory(client, chat);
    histories.set(chat, history);
    return history;
  }

  /** Adds a channel that somebody brought this agent into. */
  function fetch(channelId: string) {
    if (fetching.has(channelId)) return;
    fetching.add(channelId);
    Promise.all([client.channel(channelId).get(), marks.ask()])
      .then(([{ channel }, unread]) => {
        const chat = add(channel);
        marks.take(unread, (id) => (id === channelId ? chat : undefined));
      })
      .catch((error: unknown) => {
        if (!isRefusal(error)) onError('A channel could not be read', error);
      })
      .finally(() => fetching.delete(channelId));
  }

  async function readList() {
    // What is joined while the list is on its way is not in it.
    const unlisted = new Set(byId.peek().keys());
    const [{ items, isWhole }, unread] = await Promise.all([
      allPages(async (cursor) => {
        const page = { member: true, cursor, limit: pageSize };
        const { channels, nextCursor } = await client.channels(page);
        return { items: channels, nextCursor };
      }),
      marks.ask(),
    ]);
    for (const channel of items) {
      unlisted.delete(channel.channelId);
      add(channel);
    }
    if (isWhole) for (const channelId of unlisted) remove(channelId);
    marks.take(unread, (channelId) => byId.peek().get(channelId));
    isLoaded.value = true;
  }

  /** One at a time; what is asked for meanwhile is one more, behind it. */
  function refresh(): Promise<void> {
    isRefreshDue = true;
    refreshing ??= (async () => {
      while (isRefreshDue) {
        isRefreshDue = false;
        await readList();
      }
    })().finally(() => {
      refreshing = null;
    });
    return refreshing;
  }

  return {
    byId,
    isLoaded,
    historyOf,
    add,
    remove,
    fetch,
    refresh,
    async reconnected() {
      for (const chat of byId.peek().values()) {
        // What is told at most once may have been told meanwhile.
        reader.presences(chat).catch((error: unknown) => {
          if (client.state === 'live') onError('Who is there could not be read', error);
        });
      }
      await refresh();
    },
    apply(envelopes) {
      marks.hear(envelopes);
      const batches = new Map<string, Envelope[]>();
      for (const envelope of envelopes) {
        if (envelope.channelId === null) continue;
        const batch = batches.get(envelope.channelId);
        if (batch === undefined) batches.set(envelope.channelId, [envelope]);
        else batch.push(envelope);
      }
      for (const [channelId, batch] of batches) {
        const chat = byId.peek().get(channelId);
        if (chat?.timeline.peek().isLoaded && batch.some(isReply)) reader.recountReplies(chat);
        if (chat !== undefined) chat.apply(batch);
        else if (isDirectChannelId(channelId)) fetch(channelId);
        if (chat === undefined || !batch.some(({ event }) => isOver(event))) continue;
        drop(chat);
        // Its events end here, though the agent may have been brought in again since.
        refresh().catch((error: unknown) => {
          if (client.state === 'live') onError('The channels could not be read', error);
        });
      }
    },
    showSent(message) {
      const { channelId, seq, timestamp, senderId } = message;
      const type = message.threadId === null ? 'channel.message' : 'thread.message';
      const { senderKind } = message;
      const rest = { id: message.id, senderId, senderKind, epoch: '', channelId, seq, timestamp };
      byId
        .peek()
        .get(channelId)
        ?.show([{ ...rest, event: { type, channelId, message } }]);
    },
    open: (chat) => views.open(chat),
    async reload(channelId) {
      const chat = byId.peek().get(channelId);
      if (chat === undefined) return;
      chat.timeline.value = emptyTimeline();
      const threadId = chat.thread.peek()?.threadId;
      if (threadId) chat.thread.value = emptyTimeline(threadId);
      await views.again(chat);
      if (threadId && chat.thread.peek()?.threadId === threadId)
        await historyOf(chat).openThread(threadId);
    },
    forgetUnread(channelId) {
      const chat = byId.peek().get(channelId);
      if (chat !== undefined) marks.forget(chat);
    },
    directWith(agentId) {
      for (const chat of byId.value.values()) {
        const channel = chat.channel.value;
        if (channel.kind === 'direct' && peerOf(channel, me) === agentId) return chat;
      }
      return null;
    },
    markRead: (chat) => marks.markRead(chat),
    close() {
      clearInterval(expiry);
      marks.close();
      views.close();
      for (const chat of byId.peek().values()) reader.forget(chat);
    },
  };

  function isOver(event: ChannelEvent): boolean {
    return (
      event.type === 'channel.delete' ||
      (event.type === 'channel.member.leave' && event.member.agentId === me)
    );
  }
}

const isRefusal = (error: unknown) =>
  error instanceof HubError && (error.code === 'not_found' || error.code === 'forbidden');
