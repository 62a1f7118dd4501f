import { signal, type ReadonlySignal } from '@preact/signals';
import { HubError, type HubClient } from '@openclaw/client';
import { isDirectChannelId, type Channel, type Envelope, type Message } from '@openclaw/protocol';
import type { FailureReports } from '../page/notices.ts';
import { allPages } from './all-pages.ts';
import { createChannelLoader } from './channel-loader.ts';
import { peerOf } from './channel-names.ts';
import { createChat, type Chat } from './chat.ts';
import { createGrowth } from './growth.ts';
import { createHistory, type History } from './history.ts';
import type { ReadMarks } from './read-marks.ts';
import { createReadState } from './read-state.ts';
import { changesReplyCount, withoutExpired } from './reducers.ts';
import { emptyTimeline } from './timeline.ts';
import { createViewLoader } from './view-loader.ts';

const pageSize = 200;
const expiryCheckMs = 3_000;

export function createChats(
  client: HubClient,
  me: string,
  reports: FailureReports,
  marks: ReadMarks,
) {
  const byId = signal<ReadonlyMap<string, Chat>>(new Map());
  /** The channel that an admin observes without being a member. */
  const observed = signal<Chat | null>(null);
  const isLoaded = signal(false);
  const histories = new WeakMap<Chat, History>();
  const fetching = new Set<string>();
  const loader = createChannelLoader(client, reports);
  const growth = createGrowth(client);
  const readState = createReadState(client, marks, reports);
  const views = createViewLoader(async (chat) => {
    growth.start(chat);
    await Promise.all([
      historyOf(chat).open(),
      loader.loadMembers(chat),
      loader.loadThreads(chat),
      loader.loadDecisions(chat),
    ]);
  });
  marks.onMark((mark) => {
    const chat = byId.peek().get(mark.channelId);
    if (chat !== undefined) readState.takeMark(chat, mark);
  });
  let refreshing: Promise<void> | null = null;
  let isRefreshDue = false;
  const expiry = setInterval(() => {
    for (const chat of byId.peek().values()) {
      chat.typing.value = withoutExpired(chat.typing.peek(), Date.now());
    }
  }, expiryCheckMs);

  /** Call it for a channel that this agent has created or joined. */
  function add(channel: Channel): Chat {
    const known = byId.peek().get(channel.channelId);
    if (known !== undefined) {
      known.channel.value = channel;
      return known;
    }
    const chat = createChat(channel, me);
    byId.value = new Map(byId.peek()).set(chat.id, chat);
    if (observed.peek()?.id === chat.id) endObserving();
    follow(chat, () => drop(chat));
    return chat;
  }

  function follow(chat: Chat, onRefused: () => void) {
    const subscribed = client.channel(chat.id).subscribe();
    chat.subscribed = subscribed.then(
      () => undefined,
      () => undefined,
    );
    subscribed
      .then(() => loader.loadPresences(chat))
      .catch((error: unknown) => {
        // The agent may have left the channel after the list of channels was read.
        if (isRefusal(error)) onRefused();
        else reports.report(`#${chat.channel.peek().name} could not be followed`)(error);
      });
  }

  /** Also closes the channel that was observed before. */
  function observe(channel: Channel): Chat {
    endObserving();
    const chat = createChat(channel, me);
    chat.isObserved.value = true;
    // An observer has no read mark at the hub, so nothing counts as new.
    chat.counter.markTo(Number.MAX_SAFE_INTEGER);
    observed.value = chat;
    follow(chat, endObserving);
    return chat;
  }

  function endObserving() {
    const chat = observed.peek();
    if (chat === null) return;
    observed.value = null;
    loader.forget(chat);
    views.forget(chat);
    growth.forget(chat);
    // A member stays subscribed. If the call fails, the subscription ends with the connection.
    if (!byId.peek().has(chat.id)) {
      client
        .channel(chat.id)
        .unsubscribe()
        .catch(() => undefined);
    }
  }

  function chatOf(channelId: string): Chat | undefined {
    const chat = observed.peek();
    return byId.peek().get(channelId) ?? (chat?.id === channelId ? chat : undefined);
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
    readState.forget(chat);
    loader.forget(chat);
    views.forget(chat);
  }

  function historyOf(chat: Chat): History {
    const known = histories.get(chat);
    if (known !== undefined) return known;
    const history = createHistory(client, chat, me);
    histories.set(chat, history);
    return history;
  }

  /** Call it when another agent added this agent. Loads the channel in the background. */
  function fetch(channelId: string) {
    if (fetching.has(channelId)) return;
    fetching.add(channelId);
    Promise.all([client.channel(channelId).get(), readState.load()])
      .then(([{ channel }, unread]) => {
        const chat = add(channel);
        readState.apply(unread, (id) => (id === channelId ? chat : undefined));
      })
      .catch((error: unknown) => {
        if (!isRefusal(error)) reports.report('A channel could not be loaded')(error);
      })
      .finally(() => fetching.delete(channelId));
  }

  async function loadList() {
    // A channel in this set is removed if a complete list lacks it. A channel that is joined during the read is not
    // in the set, so it stays.
    const unlisted = new Set(byId.peek().keys());
    const [{ items, isComplete }, unread] = await Promise.all([
      allPages((page) => client.channels({ ...page, member: true, limit: pageSize }), 'channels'),
      readState.load(),
    ]);
    for (const channel of items) {
      unlisted.delete(channel.channelId);
      add(channel);
    }
    if (isComplete) for (const channelId of unlisted) remove(channelId);
    readState.apply(unread, (channelId) => byId.peek().get(channelId));
    isLoaded.value = true;
  }

  /**
   * Loads the list of channels and the unread counts. Any number of calls during a load cause one
   * further load.
   */
  function refresh(): Promise<void> {
    isRefreshDue = true;
    refreshing ??= (async () => {
      while (isRefreshDue) {
        isRefreshDue = false;
        await loadList();
      }
    })().finally(() => {
      refreshing = null;
    });
    return refreshing;
  }

  const endsMembership = ({ event }: Envelope) =>
    event.type === 'channel.delete' ||
    (event.type === 'channel.member.leave' && event.member.agentId === me);

  function markThreadSeen(chat: Chat, threadId: string) {
    readState.markThreadSeen(chat, threadId, chat.timeline.peek().head);
  }

  return {
    byId: byId as ReadonlySignal<ReadonlyMap<string, Chat>>,
    isLoaded: isLoaded as ReadonlySignal<boolean>,
    observed: observed as ReadonlySignal<Chat | null>,
    historyOf,
    growth,
    add,
    observe,
    endObserving,
    remove,
    fetch,
    refresh,
    /**
     * Finds what the reader has missed. Takes at most `channelsMax` channels with unread messages, and yields the last
     * unread events of each channel, at most `limit`.
     */
    async *missedEvents(limit: number, channelsMax: number): AsyncGenerator<readonly Envelope[]> {
      const withNews = [...byId.peek().values()]
        .filter((chat) => chat.unread.peek().count > 0)
        .slice(0, channelsMax);
      for (const chat of withNews) {
        const { head } = chat.channel.peek();
        const after = Math.max(chat.unread.peek().seq, head - limit);
        const { events } = await client.channel(chat.id).log({ after, limit });
        yield events;
      }
    },
    /** Also loads presences, because their events may have been lost. */
    async reconnected() {
      const extra = observed.peek();
      for (const chat of [...byId.peek().values(), ...(extra === null ? [] : [extra])]) {
        loader
          .loadPresences(chat)
          .catch(reports.reportWhileLive('The presence of members could not be loaded'));
      }
      await refresh();
    },
    apply(envelopes: readonly Envelope[]) {
      readState.record(envelopes);
      for (const [channelId, batch] of Map.groupBy(envelopes, (envelope) => envelope.channelId)) {
        if (channelId === null) continue;
        const chat = chatOf(channelId);
        if (chat === undefined) {
          if (isDirectChannelId(channelId)) fetch(channelId);
          continue;
        }
        const hasReplies = batch.some(({ event }) => changesReplyCount(event));
        if (hasReplies && chat.timeline.peek().isLoaded) loader.recountReplies(chat);
        chat.apply(batch);
        if (!batch.some(endsMembership)) continue;
        if (chat === observed.peek()) {
          endObserving();
          continue;
        }
        drop(chat);
        // The agent may have been added again in the meantime. The old subscription does not deliver that join, but the
        // refresh finds the channel.
        refresh().catch(reports.reportWhileLive('The channels could not be loaded'));
      }
    },
    open: (chat: Chat) => views.open(chat),
    /** Call it after a discontinuity. Replaces the shown entries, because they may be incomplete. */
    async reload(channelId: string) {
      const chat = chatOf(channelId);
      if (chat === undefined) return;
      chat.timeline.value = emptyTimeline();
      const threadId = chat.thread.peek()?.threadId;
      if (threadId) chat.thread.value = emptyTimeline(threadId);
      await views.reload(chat);
      if (threadId && chat.thread.peek()?.threadId === threadId) {
        await historyOf(chat).openThread(threadId);
      }
    },
    /** Call it when the seqs of the unread count belong to another epoch. */
    forgetUnread(channelId: string) {
      const chat = byId.peek().get(channelId);
      if (chat !== undefined) readState.forget(chat);
    },
    hasDirects: () =>
      [...byId.peek().values()].some((chat) => chat.channel.peek().kind === 'direct'),
    directWith(agentId: string): Chat | null {
      for (const chat of byId.value.values()) {
        const channel = chat.channel.value;
        if (channel.kind === 'direct' && peerOf(channel, me) === agentId) return chat;
      }
      return null;
    },
    markSeen: (chat: Chat, seq = chat.timeline.peek().head) => readState.markSeen(chat, seq),
    async markUnread(chat: Chat, message: Message) {
      await readState.markUnread(chat, message.seq - 1);
      // Only the hub can count messages after the loaded ones.
      if (chat.timeline.peek().hasNewer) await readState.reload(chat);
    },
    markAllSeen(chat: Chat) {
      chat.isKeptUnread.value = false;
      readState.markSeen(chat, chat.timeline.peek().head);
      for (const threadId of chat.unread.peek().threads.keys()) markThreadSeen(chat, threadId);
    },
    markThreadSeen,
    close() {
      clearInterval(expiry);
      readState.close();
      views.close();
      growth.close();
      loader.close();
    },
  };
}

const isRefusal = (error: unknown) =>
  error instanceof HubError && (error.code === 'not_found' || error.code === 'forbidden');
