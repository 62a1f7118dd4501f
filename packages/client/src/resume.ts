import type {
  Discontinuity as HubDiscontinuity,
  ErrorCode,
  ResultOf,
  Welcome,
} from '@openclaw/protocol';
import type { CallSyncMethod } from './calls.ts';
import { HubError, retryPauseMs } from './errors.ts';
import type { Ordering, Topic } from './topic.ts';

/**
 * Events of a channel were missed and will not be delivered. The channel continues from head + 1, or ends if the hub
 * refused it.
 */
export interface Discontinuity {
  readonly channelId: string;
  readonly head: number;
  /**
   * `epoch`: a backup was restored; `behind`: too many events were missed; `trimmed`: the hub no longer keeps them; an
   * error code: the hub refused the channel.
   */
  readonly reason: HubDiscontinuity['reason'] | ErrorCode;
}

export interface ResumeDeps {
  readonly topics: ReadonlyMap<string, Topic>;
  readonly ordering: Ordering;
  readonly callSync: CallSyncMethod;
  readonly end: (topic: Topic, error: HubError) => void;
  readonly emitDiscontinuity: (discontinuity: Discontinuity) => void;
}

/** Limits the memory, because each page may be as large as the largest answer. */
const readsMax = 4;

interface DuePage {
  readonly topic: Topic;
  readonly head: number;
  readonly isCurrent: () => boolean;
}

/**
 * Subscribes topics on each connection, and fetches the events that they missed. If a topic missed more than
 * `catchUpMax` events, reports a discontinuity instead.
 */
export function createResume(deps: ResumeDeps, options: { readonly catchUpMax: number }) {
  const { topics, ordering, emitDiscontinuity } = deps;
  let welcome: Welcome | null = null;
  let isScheduled = false;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let duePages: DuePage[] = [];
  let reading = 0;
  /** Set while no pages are read, because the hub could not answer a read. */
  let pauseTimer: ReturnType<typeof setTimeout> | undefined;

  /** Topics that are requested in the same turn of the event loop share one call. */
  function request(topic: Topic) {
    topic.phase = 'pending';
    if (isScheduled) return;
    isScheduled = true;
    queueMicrotask(flush);
  }

  /** Sends the subscribe now, so that the next call comes after it. */
  function flush() {
    if (!isScheduled) return;
    isScheduled = false;
    subscribePending();
  }

  function subscribePending() {
    if (welcome === null) return;
    // One call names one epoch and a limited number of topics.
    const groups = new Map<string | null, Topic[]>();
    for (const topic of topics.values()) {
      if (topic.phase !== 'pending') continue;
      const epoch = topic.last === null ? null : topic.epoch;
      groups.set(epoch, groups.get(epoch) ?? []);
      groups.get(epoch)?.push(topic);
    }
    const max = welcome.limits.topics;
    for (const [epoch, group] of groups) {
      for (let i = 0; i < group.length; i += max) subscribe(group.slice(i, i + max), epoch);
    }
  }

  /** The returned function gives true until the topic changes or is replaced. */
  function createIsCurrent(topic: Topic): () => boolean {
    const { generation } = topic;
    return () => topics.get(topic.channelId) === topic && topic.generation === generation;
  }

  function subscribe(group: readonly Topic[], epoch: string | null) {
    const current = new Map(group.map((topic) => [topic.channelId, createIsCurrent(topic)]));
    for (const topic of group) topic.phase = 'subscribing';
    deps.callSync(
      'subscribe',
      { topics: group.map(({ channelId, last }) => ({ channelId, since: last })), epoch },
      (result) => {
        for (const answer of result.topics) {
          const topic = topics.get(answer.channelId);
          if (topic !== undefined && current.get(answer.channelId)?.()) onAnswer(topic, answer);
        }
      },
      (error) => {
        for (const topic of group) if (current.get(topic.channelId)?.()) onRefusal(topic, error);
      },
    );
  }

  function onRefusal(topic: Topic, error: unknown) {
    const refusal = error instanceof HubError ? error : new HubError('internal', String(error));
    const pauseMs = retryPauseMs(refusal);
    if (pauseMs !== null) {
      topic.phase = 'pending';
      clearTimeout(retryTimer);
      retryTimer = setTimeout(subscribePending, pauseMs);
      return;
    }
    const { channelId, last } = topic;
    const wasSubscribed = topic.subscribed !== null;
    deps.end(topic, refusal);
    // `subscribe()` has not resolved yet, so its promise reports the refusal.
    if (!wasSubscribed) return;
    emitDiscontinuity({ channelId, head: last ?? 0, reason: refusal.code as ErrorCode });
  }

  function onAnswer(topic: Topic, answer: ResultOf<'subscribe'>['topics'][number]) {
    if ('error' in answer) {
      const { code } = answer.error;
      return onRefusal(topic, new HubError(code, `The hub refused ${topic.channelId}: ${code}`));
    }
    const { head, presencePushed } = answer;
    topic.subscribed = { head, presencePushed };
    if (topic.last === null) topic.last = head;
    else if (!answer.resumed) return catchUp(topic, head, answer.floor);
    for (const envelope of answer.events) ordering.receiveFetched(topic, envelope);
    topic.epoch ??= welcome?.epoch ?? null;
    becomeLive(topic);
  }

  function becomeLive(topic: Topic) {
    topic.phase = 'live';
    ordering.drain(topic);
    topic.subscribed ??= { head: topic.last ?? 0, presencePushed: true };
    for (const waiter of topic.waiters.splice(0)) waiter.resolve(topic.subscribed);
    // Requests the topic again if events still wait behind another gap, or did not fit into the buffer.
    if (topic.buffered.size > 0 || topic.droppedUpTo > (topic.last ?? 0)) request(topic);
  }

  function catchUp(topic: Topic, head: number, floor = 1) {
    // The topic was at its head, but the hub did not resume it. So the epoch has changed.
    if ((topic.last ?? 0) >= head) return skipTo(topic, head, 'epoch');
    if (topic.epoch === null || topic.epoch === welcome?.epoch) skipTrimmed(topic, floor);
    const last = topic.last ?? 0;
    if (last >= head) return becomeLive(topic);
    if (head - last > options.catchUpMax) return skipTo(topic, head, 'behind');
    topic.phase = 'catching-up';
    readLog(topic, head);
  }

  function skipTrimmed(topic: Topic, floor: number) {
    const head = floor - 1;
    if (head <= (topic.last ?? 0)) return;
    topic.last = head;
    emitDiscontinuity({ channelId: topic.channelId, head, reason: 'trimmed' });
  }

  function readLog(topic: Topic, head: number) {
    duePages.push({ topic, head, isCurrent: createIsCurrent(topic) });
    readDue();
  }

  function readDue() {
    while (reading < readsMax && pauseTimer === undefined) {
      const page = duePages.shift();
      if (page === undefined) return;
      if (page.isCurrent()) readPage(page);
    }
  }

  function readPage(page: DuePage) {
    const { topic, head, isCurrent } = page;
    const after = topic.last ?? 0;
    reading += 1;
    deps.callSync(
      'log.read',
      { channelId: topic.channelId, after },
      (result) => {
        // `onPage` throws for a malformed page, so `reading` is lowered first.
        reading -= 1;
        if (isCurrent()) onPage(page, after, result);
        readDue();
      },
      (error) => {
        reading -= 1;
        if (!isCurrent()) return readDue();
        const pauseMs = retryPauseMs(error);
        if (pauseMs === null) {
          skipTo(topic, head, 'behind');
          return readDue();
        }
        duePages.unshift(page);
        clearTimeout(pauseTimer);
        pauseTimer = setTimeout(() => {
          pauseTimer = undefined;
          readDue();
        }, pauseMs);
      },
    );
  }

  function onPage(
    { topic, head, isCurrent }: DuePage,
    after: number,
    { events, floor = 1 }: ResultOf<'log.read'>,
  ) {
    const isOtherEpoch = events.some(({ epoch }) => epoch !== (topic.epoch ?? epoch));
    if (isOtherEpoch) return skipTo(topic, head, 'epoch');
    skipTrimmed(topic, floor);
    if (!isCurrent()) return;
    for (const envelope of events) ordering.receiveFetched(topic, envelope);
    if (!isCurrent()) return;
    if (topic.last === after) skipTo(topic, head, 'behind');
    else if ((topic.last ?? 0) < head) readLog(topic, head);
    else becomeLive(topic);
  }

  function stopReading() {
    duePages = [];
    clearTimeout(pauseTimer);
    pauseTimer = undefined;
  }

  function skipTo(topic: Topic, head: number, reason: HubDiscontinuity['reason']) {
    topic.generation += 1;
    topic.last = head;
    if (topic.subscribed !== null) topic.subscribed = { ...topic.subscribed, head };
    if (reason === 'epoch') {
      topic.epoch = null;
      topic.buffered.clear();
      topic.droppedUpTo = 0;
    }
    emitDiscontinuity({ channelId: topic.channelId, head, reason });
    becomeLive(topic);
  }

  return {
    request,
    flush,
    onWelcome(next: Welcome) {
      welcome = next;
      subscribePending();
    },
    onLost() {
      welcome = null;
      clearTimeout(retryTimer);
      stopReading();
      for (const topic of topics.values()) {
        topic.generation += 1;
        topic.phase = 'pending';
      }
    },
    onDiscontinuity(topic: Topic, { head, reason, floor = head + 1, error }: HubDiscontinuity) {
      if (error) {
        topic.generation += 1;
        const message = `The hub ended ${topic.channelId}: ${error.code}`;
        return onRefusal(topic, new HubError(error.code, message));
      }
      if (reason === 'trimmed') {
        // The answer to a subscribe, or a page of the log, has already reported this floor.
        if ((topic.last ?? 0) >= floor - 1) return;
        topic.generation += 1;
        skipTrimmed(topic, floor);
        // A trimmed event may have removed this agent, and no later event would say so. If it was removed, the hub
        // refuses this subscribe.
        return request(topic);
      }
      topic.generation += 1;
      if (reason === 'behind' && (topic.last ?? head) < head) catchUp(topic, head);
      else skipTo(topic, head, reason);
    },
    close() {
      welcome = null;
      clearTimeout(retryTimer);
      stopReading();
    },
  };
}
