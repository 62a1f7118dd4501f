import { signal, type ReadonlySignal } from '@preact/signals';
import { HubError, type HubClient } from '@openclaw/client';
import { isDirectChannelId, type Channel, type Envelope, type Message } from '@openclaw/protocol';
import { allPages } from './all-pages.ts';
import { createChat, type Chat } from './chat.ts';
import { createChatReader } from './chat-reader.ts';
import { createHistory, type History } from './history.ts';
import { createMeanwhile } from './meanwhile.ts';
import { peerOf } from './names.ts';
import { emptyTimeline } from './timeline.ts';
import { withoutExpired } from './typing.ts';
import { countUnread } from './unread.ts';

/** The channels that this agent is a member of. */
export interface Chats {
  readonly byId: ReadonlySignal<ReadonlyMap<string, Chat>>;
  readonly isLoaded: ReadonlySignal<boolean>;
  /** Reads the list, what is unread, and who is there; again after each reconnect. */
  refresh(): Promise<void>;
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
  directWith(agentId: string): Chat | null;
  /** Says that the channel was read to its newest event. */
  markRead(chat: Chat): void;
  close(): void;
}

const pageSize = 200;
const readMarkDelayMs = 600;
const expiryCheckMs = 3_000;

const isReply = ({ event }: Envelope) => event.type === 'thread.message';

/** `onError` gets what went wrong in the background. */
export function createChats(
  client: HubClient,
  me: string,
  onError: (what: string, error: unknown) => void,
): Chats {
  const byId = signal<ReadonlyMap<string, Chat>>(new Map());
  const isLoaded = signal(false);
  const histories = new Map<string, History>();
  const marks = new Map<string, ReturnType<typeof setTimeout>>();
  const fetching = new Set<string>();
  /** Those whose view was read. */
  const opened = new WeakSet<Chat>();
  const meanwhile = createMeanwhile();
  const reader = createChatReader(client, onError);
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
      .catch((error: unknown) => onError(`#${channel.name} could not be followed`, error));
    return chat;
  }

  function remove(channelId: string) {
    const chat = byId.peek().get(channelId);
    if (chat === undefined) return;
    const next = new Map(byId.peek());
    next.delete(channelId);
    byId.value = next;
    histories.delete(channelId);
    clearTimeout(marks.get(channelId));
    marks.delete(channelId);
    reader.forget(chat);
  }

  function historyOf(chat: Chat): History {
    const known = histories.get(chat.id);
    if (known !== undefined) return known;
    const history = createHistory(client, chat);
    histories.set(chat.id, history);
    return history;
  }

  /** A direct channel that somebody just opened: its events come unasked. */
  function fetchChannel(channelId: string) {
    if (fetching.has(channelId)) return;
    fetching.add(channelId);
    client
      .channel(channelId)
      .get()
      .then(({ channel }) => {
        add(channel);
        return readUnread();
      })
      .catch((error: unknown) => {
        const isGone = error instanceof HubError && error.code === 'not_found';
        if (!isGone) onError('A channel could not be read', error);
      })
      .finally(() => fetching.delete(channelId));
  }

  async function readUnread() {
    const { answer, meanwhile: heard } = await meanwhile.ask(() => client.readState());
    for (const { channelId, seq, head, unread, mentions } of answer.channels) {
      const chat = byId.peek().get(channelId);
      if (chat === undefined) continue;
      const isHere = (envelope: Envelope) => envelope.channelId === channelId;
      // Read on since, and not told yet.
      if (chat.unread.peek().seq > seq) continue;
      const counted = { seq, countedTo: head, count: unread, mentions };
      chat.unread.value = countUnread(counted, heard.filter(isHere), me);
    }
  }

  async function readView(chat: Chat) {
    opened.delete(chat);
    await Promise.all([historyOf(chat).newest(), reader.members(chat), reader.threads(chat)]);
    opened.add(chat);
  }

  return {
    byId,
    isLoaded,
    historyOf,
    add,
    remove,
    async refresh() {
      // What is joined while the list is on its way is not in it.
      const unlisted = new Set(byId.peek().keys());
      const { items, isWhole } = await allPages(async (cursor) => {
        const { channels, nextCursor } = await client.channels({
          ...{ member: true, cursor, limit: pageSize },
        });
        return { items: channels, nextCursor };
      });
      for (const channel of items) {
        unlisted.delete(channel.channelId);
        const known = byId.peek().get(channel.channelId);
        if (known !== undefined)
          reader.presences(known).catch((error: unknown) => onError('Presence', error));
        add(channel);
      }
      if (isWhole) for (const channelId of unlisted) remove(channelId);
      await readUnread();
      isLoaded.value = true;
    },
    apply(envelopes) {
      meanwhile.hear(envelopes);
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
        else if (isDirectChannelId(channelId)) fetchChannel(channelId);
        const isOver = batch.some(
          ({ event }) =>
            event.type === 'channel.delete' ||
            (event.type === 'channel.member.leave' && event.member.agentId === me),
        );
        if (isOver) remove(channelId);
      }
    },
    showSent(message) {
      const { channelId, seq, timestamp, senderId } = message;
      const type = message.threadId === null ? 'channel.message' : 'thread.message';
      const rest = { id: message.id, senderId, epoch: '', channelId, seq, timestamp };
      byId
        .peek()
        .get(channelId)
        ?.show([{ ...rest, event: { type, channelId, message } }]);
    },
    async open(chat) {
      await chat.followed;
      if (!opened.has(chat)) await readView(chat);
    },
    async reload(channelId) {
      const chat = byId.peek().get(channelId);
      if (chat === undefined || !opened.has(chat)) return;
      chat.timeline.value = emptyTimeline();
      await readView(chat);
    },
    directWith(agentId) {
      for (const chat of byId.value.values()) {
        const channel = chat.channel.value;
        if (channel.kind === 'direct' && peerOf(channel, me) === agentId) return chat;
      }
      return null;
    },
    markRead(chat) {
      const { head } = chat.timeline.peek();
      const unread = chat.unread.peek();
      if (head <= unread.seq && unread.count === 0) return;
      const seq = Math.max(head, unread.seq);
      chat.unread.value = { ...unread, seq, count: 0, mentions: 0 };
      if (marks.has(chat.id)) return;
      const timer = setTimeout(() => {
        marks.delete(chat.id);
        client
          .channel(chat.id)
          .markRead(chat.unread.peek().seq)
          .catch((error: unknown) => {
            if (client.state === 'live') onError('The read mark was not kept', error);
          });
      }, readMarkDelayMs);
      marks.set(chat.id, timer);
    },
    close() {
      clearInterval(expiry);
      for (const timer of marks.values()) clearTimeout(timer);
      for (const chat of byId.peek().values()) reader.forget(chat);
    },
  };
}
