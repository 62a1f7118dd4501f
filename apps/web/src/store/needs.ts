import { batch, computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { HubClient } from '@openclaw/client';
import {
  isDirectChannelId,
  type Envelope,
  type InboxItem,
  type ResultOf,
} from '@openclaw/protocol';
import type { FailureReports } from '../page/notices.ts';
import type { KeyedStorage } from '../page/page-base.ts';
import { createSharedValue } from '../page/stored-value.ts';
import { failureOf, mayConcern, needId, shortText, type Need } from './concerns.ts';

interface Decisions {
  /** The list has the ids of needs that are done, with the newest last. */
  readonly done: readonly string[];
  /** Maps the id of a snoozed need to the time at which it is shown again. */
  readonly snoozed: Readonly<Record<string, number>>;
  /** Failures that the page has seen. They are not in the hub's inbox. */
  readonly failures: readonly Need[];
  /** Maps each source of failures ({@link sourceOf}) to a time. The source's failures up to this time are done. */
  readonly settled: Readonly<Record<string, number>>;
}

const undecided: Decisions = { done: [], snoozed: {}, failures: [], settled: {} };
const doneMax = 2_000;
const snoozedMax = 200;
const failuresMax = 50;
const settledMax = 200;
const pageSize = 200;
const pageChars = 100_000;
const pagesMax = 5;
const readDelayMs = 300;
const longReadDelayMs = 3_000;
const ackDelayMs = 5_000;
const clockMs = 5_000;

export type Needs = ReturnType<typeof createNeeds>;

/**
 * The needs are the items of the hub's inbox in all channels, and the agents' failures that the page has seen. The hub
 * keeps an item until it is acknowledged. An acknowledgement covers the oldest items, up to the first that is not done.
 */
export function createNeeds(deps: {
  readonly client: HubClient;
  readonly me: string;
  readonly storage: KeyedStorage;
  readonly reports: FailureReports;
  readonly isMuted: (channelId: string) => boolean;
}) {
  const { client, me, storage, reports, isMuted } = deps;
  const decisions = createSharedValue(storage, `openclaw.needs.${me}`, undecided);
  /**
   * The list has the oldest items of the inbox, in its order. Only these are acknowledged, so that no item is
   * skipped.
   */
  const items = signal<readonly InboxItem[]>([]);
  /** The newest items, if the inbox is too long for `items`; otherwise empty. */
  const newestItems = signal<readonly InboxItem[]>([]);
  const betweenCount = signal(0);
  const isLoaded = signal(false);
  const nowMs = signal(Date.now());
  let ackedTo: string | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ackTimer: ReturnType<typeof setTimeout> | undefined;
  let isReading = false;
  let isDue = false;
  let isClosed = false;
  const clock = setInterval(() => (nowMs.value = Date.now()), clockMs);

  const all = computed(() => {
    const { failures } = decisions.value.value;
    const shown = [...items.value, ...newestItems.value].map(needOf);
    return [...shown, ...failures].sort((a, b) => b.atMs - a.atMs);
  });
  const isDone = (id: string) => decisions.value.value.done.includes(id);
  const open = computed(() => {
    const { done, snoozed } = decisions.value.value;
    const over = new Set(done);
    return all.value.filter(({ id }) => !over.has(id) && (snoozed[id] ?? 0) <= nowMs.value);
  });
  const snoozed = computed(() => {
    const { snoozed: until } = decisions.value.value;
    return all.value.filter(({ id }) => !isDone(id) && (until[id] ?? 0) > nowMs.value);
  });

  /** If there are calls during a read, one further read follows for all of them. */
  async function read(): Promise<void> {
    isDue = true;
    if (isReading) return;
    isReading = true;
    try {
      while (isDue && !isClosed) {
        isDue = false;
        const oldest: InboxItem[] = [];
        let after: string | null = null;
        for (let count = 0; count < pagesMax; count += 1) {
          const page: ResultOf<'inbox.read'> = await client.call('inbox.read', {
            after,
            limit: pageSize,
          });
          oldest.push(...page.items);
          after = page.hasMore ? page.cursor : null;
          if (after === null) break;
        }
        // When there are very many items, the newest are shown too. The items in between are loaded later.
        const { items: newest, omitted } =
          after === null
            ? { items: [], omitted: null }
            : await client.call('inbox.read', { limit: pageSize, maxChars: pageChars, after });
        batch(() => {
          items.value = oldest;
          newestItems.value = newest;
          betweenCount.value = omitted?.count ?? 0;
          isLoaded.value = true;
        });
      }
    } finally {
      isReading = false;
    }
  }

  function readSoon() {
    const delayMs = items.peek().length < pageSize ? readDelayMs : longReadDelayMs;
    timer ??= setTimeout(() => {
      timer = undefined;
      read().catch(reports.reportWhileLive('What needs you could not be loaded'));
    }, delayMs);
  }

  function decide(change: Partial<Decisions>) {
    const before = decisions.value.peek();
    decisions.value.value = { ...before, ...change };
  }

  function setDone(ids: readonly string[]) {
    const added = new Set(ids);
    const { done, failures, settled } = decisions.value.peek();
    const over = failures.filter(({ id }) => added.has(id));
    const times = over.map((failure) => [sourceOf(failure), failure.atMs] as const);
    decide({
      done: [...done.filter((id) => !added.has(id)), ...ids].slice(-doneMax),
      failures: failures.filter(({ id }) => !added.has(id)),
      settled: Object.fromEntries([...Object.entries(settled), ...times].slice(-settledMax)),
    });
  }

  function acknowledge() {
    const first = items.peek().findIndex((item) => !isDone(needOf(item).id));
    const covered = first < 0 ? items.peek().at(-1) : items.peek()[first - 1];
    const cursor = covered?.cursor;
    if (cursor === undefined || cursor === ackedTo) return;
    ackedTo = cursor;
    client.call('inbox.ack', { cursor }).then(
      () => {
        // The page now has room for the items that it left out.
        if (betweenCount.peek() > 0) readSoon();
      },
      (error: unknown) => {
        // The next decision or read tries this acknowledgement again.
        ackedTo = null;
        reports.reportWhileLive('What is done could not be saved')(error);
      },
    );
  }
  // The acknowledgement waits, because the reader can undo until then. If the page closes first, the browser still
  // knows which needs are done.
  const stop = effect(() => {
    void decisions.value.value;
    if (items.value.length === 0) return;
    clearTimeout(ackTimer);
    ackTimer = setTimeout(acknowledge, ackDelayMs);
  });

  function settledBy({ event, senderId }: Envelope): string[] {
    const isSent = event.type === 'channel.message' || event.type === 'thread.message';
    if (!isSent || senderId !== me) return [];
    const { channelId, threadId, replyTo, seq } = event.message;
    return open.peek().flatMap((need) => {
      if (need.kind === 'failure' || need.channelId !== channelId || need.seq > seq) return [];
      const root = need.threadId ?? need.messageId;
      const isAnswered =
        isDirectChannelId(channelId) ||
        (threadId !== null && threadId === root) ||
        (replyTo !== undefined && replyTo === need.messageId);
      return isAnswered ? [need.id] : [];
    });
  }

  /** The events may also be from a time when the reader was away. */
  function noteFailures(envelopes: readonly Envelope[]) {
    const { failures: known, settled } = decisions.value.peek();
    const failures = envelopes
      .flatMap((envelope) => failureOf(envelope) ?? [])
      .filter((failure) => {
        const isNew = failure.atMs > (settled[sourceOf(failure)] ?? 0);
        return isNew && !isMuted(failure.channelId);
      });
    if (failures.length === 0) return;
    // Only an agent's newest failure in a channel is listed, so that one agent cannot fill the
    // list.
    const newest = new Map<string, Need>();
    for (const failure of [...known, ...failures].sort((a, b) => a.atMs - b.atMs)) {
      newest.delete(sourceOf(failure));
      newest.set(sourceOf(failure), failure);
    }
    decide({ failures: [...newest.values()].slice(-failuresMax) });
  }

  return {
    open: open as ReadonlySignal<readonly Need[]>,
    snoozed: snoozed as ReadonlySignal<readonly Need[]>,
    isLoaded: isLoaded as ReadonlySignal<boolean>,
    /** The number of items that the page has not loaded, between the oldest and the newest items. */
    betweenCount: betweenCount as ReadonlySignal<number>,
    read,
    noteFailures,
    apply(envelopes: readonly Envelope[]) {
      noteFailures(envelopes);
      const settled = envelopes.flatMap(settledBy);
      if (settled.length > 0) setDone(settled);
      const mayChange = envelopes.some((envelope) =>
        mayConcern(envelope, me, isDirectChannelId(envelope.channelId ?? '')),
      );
      if (mayChange) readSoon();
    },
    done: (need: Need) => setDone([need.id]),
    allDone() {
      setDone(open.peek().map(({ id }) => id));
    },
    undo(need: Need) {
      const { done, failures, settled } = decisions.value.peek();
      const isFailure = need.kind === 'failure';
      const others = Object.entries(settled).filter(([source]) => source !== sourceOf(need));
      decide({
        done: done.filter((id) => id !== need.id),
        ...(isFailure && {
          failures: [...failures, need].slice(-failuresMax),
          settled: Object.fromEntries(others),
        }),
      });
    },
    snooze(need: Need, untilMs: number) {
      const entries = Object.entries(decisions.value.peek().snoozed).filter(
        ([id, until]) => id !== need.id && until > Date.now(),
      );
      nowMs.value = Date.now();
      decide({
        snoozed: Object.fromEntries([...entries, [need.id, untilMs] as const].slice(-snoozedMax)),
      });
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      clearTimeout(ackTimer);
      clearInterval(clock);
      stop();
      decisions.close();
    },
  };
}

const sourceOf = ({ channelId, senderId }: Need): string => `${channelId} ${senderId}`;

function needOf(item: InboxItem): Need {
  const { channelId, seq, reason, message, event, line, ageMs } = item;
  return {
    id: needId(channelId, seq),
    kind: reason,
    ...{ channelId, seq },
    messageId: message?.id ?? null,
    threadId: message?.threadId ?? null,
    senderId: message?.senderId ?? actorOf(event),
    text: shortText(message?.content ?? line ?? textOfEvent(event)),
    atMs: message?.timestamp ?? Date.now() - ageMs,
  };
}

const eventWords: Readonly<Record<string, string>> = {
  'ask.accepted': 'Your ask was accepted',
  'ask.declined': 'Your ask was declined',
  'ask.done': 'Your ask is done',
  'ask.expired': 'Your ask was not answered in time',
  'question.opened': 'You are asked to decide',
  'question.answered': 'Your question was answered',
  'question.expired': 'Your question was not answered in time',
  'question.cancelled': 'Your question was withdrawn',
};

/** The agent that opened the question; null where the event names none. */
function actorOf(event: InboxItem['event']): string | null {
  return event && 'question' in event ? event.question.openedBy : null;
}

function textOfEvent(event: InboxItem['event']): string {
  if (event === null) return '';
  const words = eventWords[event.name] ?? event.name;
  if ('question' in event) {
    const { title } = event.question;
    return event.name === 'question.opened' ? title : `${words}: ${title}`;
  }
  return 'note' in event && event.note ? `${words}: ${event.note}` : words;
}
