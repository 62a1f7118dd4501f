import type {
  Discontinuity as HubDiscontinuity,
  Envelope,
  ErrorCode,
  ResultOf,
  Welcome,
} from '@openclaw/protocol';
import type { AskMethod } from './calls.ts';
import { HubError, isPassing } from './errors.ts';
import type { Ordering } from './ordering.ts';
import type { Topic } from './topic.ts';

/** A subscribed channel cannot be continued; live from head + 1 or, where the reason is a refusal, not at all. */
export interface Discontinuity {
  readonly channelId: string;
  readonly head: number;
  readonly reason: HubDiscontinuity['reason'] | ErrorCode;
}

/** Brings topics to where they are live. */
export interface Resume {
  /** Subscribes the topic, from its last event if it has one; all that one turn wants goes in one call. */
  want(topic: Topic): void;
  /** Asks at once for what this turn wanted so far, so that a call made after it stands behind it. */
  flush(): void;
  /** Subscribes what is wanted on this connection. */
  onWelcome(welcome: Welcome): void;
  onLost(): void;
  /** The hub cannot continue the topic. */
  onDiscontinuity(topic: Topic, head: number, reason: HubDiscontinuity['reason']): void;
  close(): void;
}

/** What {@link createResume} is wired to. */
export interface ResumeDeps {
  readonly topics: ReadonlyMap<string, Topic>;
  readonly ordering: Ordering;
  readonly ask: AskMethod;
  /** The topic is refused for good. */
  readonly end: (topic: Topic, error: HubError) => void;
  readonly emitDiscontinuity: (discontinuity: Discontinuity) => void;
}

const askAgainMs = 1_000;
/** Channels whose log is read at a time: each page may be as large as any answer, and each is a call. */
const readsMax = 4;

/** A page of a topic's log that is due. */
interface DuePage {
  readonly topic: Topic;
  /** Up to here it is read. */
  readonly head: number;
  readonly isCurrent: () => boolean;
}

/** `catchUpMax` bounds what is paged from the log when a subscribe cannot resume. */
export function createResume(deps: ResumeDeps, options: { readonly catchUpMax: number }): Resume {
  const { topics, ordering, emitDiscontinuity } = deps;
  let welcome: Welcome | null = null;
  let isScheduled = false;
  let askTimer: ReturnType<typeof setTimeout> | undefined;
  let duePages: DuePage[] = [];
  let reading = 0;
  /** Set while the hub has asked for a pause. */
  let pauseTimer: ReturnType<typeof setTimeout> | undefined;

  function want(topic: Topic) {
    topic.phase = 'wanted';
    if (isScheduled) return;
    isScheduled = true;
    queueMicrotask(flush);
  }

  function flush() {
    if (!isScheduled) return;
    isScheduled = false;
    askForWanted();
  }

  function askForWanted() {
    if (welcome === null) return;
    // One call names one epoch.
    const groups = new Map<string | null, Topic[]>();
    for (const topic of topics.values()) {
      if (topic.phase !== 'wanted') continue;
      const epoch = topic.last === null ? null : topic.epoch;
      const group = groups.get(epoch);
      if (group === undefined) groups.set(epoch, [topic]);
      else group.push(topic);
    }
    const most = welcome.limits.topics;
    for (const [epoch, group] of groups) {
      for (let i = 0; i < group.length; i += most) subscribe(group.slice(i, i + most), epoch);
    }
  }

  /** Answers whether what was true of the topic when it was made still is. */
  function stillCurrent(topic: Topic): () => boolean {
    const { turn } = topic;
    return () => topics.get(topic.channelId) === topic && topic.turn === turn;
  }

  function subscribe(asked: readonly Topic[], epoch: string | null) {
    const current = new Map(asked.map((topic) => [topic.channelId, stillCurrent(topic)]));
    for (const topic of asked) topic.phase = 'asked';
    deps.ask(
      'subscribe',
      { topics: asked.map(({ channelId, last }) => ({ channelId, since: last })), epoch },
      (result) => {
        for (const answer of result.topics) {
          const topic = topics.get(answer.channelId);
          if (topic !== undefined && current.get(answer.channelId)?.()) onAnswer(topic, answer);
        }
      },
      (error) => {
        for (const topic of asked) if (current.get(topic.channelId)?.()) onRefusal(topic, error);
      },
    );
  }

  function onRefusal(topic: Topic, error: unknown) {
    const refusal = error instanceof HubError ? error : new HubError('internal', String(error));
    if (isPassing(refusal)) {
      topic.phase = 'wanted';
      clearTimeout(askTimer);
      askTimer = setTimeout(askForWanted, refusal.retryAfterMs ?? askAgainMs);
      return;
    }
    const { channelId, last } = topic;
    const wasSubscribed = topic.subscribed !== null;
    deps.end(topic, refusal);
    // A first subscribe's refusal is told by its promise.
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
    else if (!answer.resumed) return catchUp(topic, head);
    for (const envelope of answer.events) ordering.fill(topic, envelope);
    topic.epoch ??= welcome?.epoch ?? null;
    becomeLive(topic);
  }

  function becomeLive(topic: Topic) {
    topic.phase = 'live';
    ordering.drain(topic);
    topic.subscribed ??= { head: topic.last ?? 0, presencePushed: true };
    for (const waiter of topic.waiters.splice(0)) waiter.resolve(topic.subscribed);
    // What is still held stands behind another hole, and what could not be held has yet to come.
    if (topic.held.size > 0 || topic.unheld > (topic.last ?? 0)) want(topic);
  }

  function catchUp(topic: Topic, head: number) {
    const last = topic.last ?? 0;
    // A topic at its head is always resumed, unless that is another epoch's head.
    if (last >= head) return skipTo(topic, head, 'epoch');
    if (head - last > options.catchUpMax) return skipTo(topic, head, 'behind');
    topic.phase = 'paging';
    readLog(topic, head);
  }

  function readLog(topic: Topic, head: number) {
    duePages.push({ topic, head, isCurrent: stillCurrent(topic) });
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
    deps.ask(
      'log.read',
      { channelId: topic.channelId, after },
      ({ events }) => {
        reading -= 1;
        if (isCurrent()) onPage(page, after, events);
        readDue();
      },
      (error) => {
        reading -= 1;
        if (!isCurrent()) return readDue();
        if (error instanceof HubError && isPassing(error)) {
          duePages.unshift(page);
          clearTimeout(pauseTimer);
          pauseTimer = setTimeout(() => {
            pauseTimer = undefined;
            readDue();
          }, error.retryAfterMs ?? askAgainMs);
          return;
        }
        skipTo(topic, head, 'behind');
        readDue();
      },
    );
  }

  function onPage({ topic, head, isCurrent }: DuePage, after: number, events: readonly Envelope[]) {
    const isOtherEpoch = events.some(({ epoch }) => epoch !== (topic.epoch ?? epoch));
    if (isOtherEpoch) return skipTo(topic, head, 'epoch');
    for (const envelope of events) ordering.fill(topic, envelope);
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
    topic.turn += 1;
    topic.last = head;
    if (topic.subscribed !== null) topic.subscribed = { ...topic.subscribed, head };
    if (reason === 'epoch') {
      topic.epoch = null;
      topic.held.clear();
      topic.unheld = 0;
    }
    emitDiscontinuity({ channelId: topic.channelId, head, reason });
    becomeLive(topic);
  }

  return {
    want,
    flush,
    onWelcome(next) {
      welcome = next;
      askForWanted();
    },
    onLost() {
      welcome = null;
      clearTimeout(askTimer);
      stopReading();
      for (const topic of topics.values()) {
        topic.turn += 1;
        topic.phase = 'wanted';
      }
    },
    onDiscontinuity(topic, head, reason) {
      topic.turn += 1;
      if (reason === 'behind' && (topic.last ?? head) < head) catchUp(topic, head);
      else skipTo(topic, head, reason);
    },
    close() {
      welcome = null;
      clearTimeout(askTimer);
      stopReading();
    },
  };
}
