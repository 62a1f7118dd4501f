import type { Envelope, Message } from '@openclaw/protocol';

/** A line of the conversation: a message as it now stands, or something that happened. */
export type Entry = MessageEntry | HappeningEntry;

/** A message; `asOf` is the seq up to which it has heard everything. */
export interface MessageEntry {
  readonly kind: 'message';
  readonly seq: number;
  readonly message: Message;
  readonly asOf: number;
}

/** An event that people want to see: who came and went, what agents did. */
export interface HappeningEntry {
  readonly kind: 'happening';
  readonly seq: number;
  readonly envelope: Envelope;
}

/** A stretch of a channel's (or a thread's) conversation, without holes, in the order of seq. */
export interface Timeline {
  /** The root message's id when this is a thread; null for a channel, which shows no replies. */
  readonly threadId: string | null;
  /** Has a first page come? Before it, events find no place. */
  readonly isLoaded: boolean;
  readonly entries: readonly Entry[];
  /** Is there more before the first entry? */
  readonly hasOlder: boolean;
  /** Was the newest left out, so that live events find no place? */
  readonly hasNewer: boolean;
  /** Seq of the newest event heard of. */
  readonly head: number;
}

/** A page of history, with what else happened in its stretch of the log. */
export interface Page {
  readonly messages: readonly Message[];
  readonly happenings: readonly Envelope[];
  readonly head: number;
  readonly hasMore: boolean;
}

/** Which end of a timeline must go when it is over its limit. */
export type Trim = 'oldest' | 'newest';

const shownTypes: ReadonlySet<string> = new Set([
  'channel.member.join',
  'channel.member.leave',
  'channel.update',
  'channel.archive',
  'collaboration.event',
]);

/** Is the event shown as a line of its own? */
export function isHappening({ event, seq }: Envelope): boolean {
  return seq !== null && shownTypes.has(event.type);
}

/** A timeline of which nothing is known yet. */
export function emptyTimeline(threadId: string | null = null): Timeline {
  return { threadId, isLoaded: false, entries: [], hasOlder: true, hasNewer: false, head: 0 };
}

/** The index of the first entry with this seq or a later one. */
export function indexOfSeq(entries: readonly Entry[], seq: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle] as Entry).seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

function belongs(timeline: Timeline, message: Message): boolean {
  const { threadId } = timeline;
  return threadId === null
    ? message.threadId === null
    : message.id === threadId || message.threadId === threadId;
}

/** Applies events in their order. Hearing one twice changes nothing, so that a page and live events may overlap. */
export function applyEvents(
  timeline: Timeline,
  envelopes: readonly Envelope[],
  limit: { readonly max: number; readonly trim: Trim },
): Timeline {
  const entries = [...timeline.entries];
  let { head } = timeline;
  let indexOfId: Map<string, number> | null = null;
  let hasNewer = timeline.hasNewer;

  const find = (messageId: string): number | undefined => {
    indexOfId ??= new Map(
      entries.flatMap((entry, index) =>
        entry.kind === 'message' ? [[entry.message.id, index]] : [],
      ),
    );
    return indexOfId.get(messageId);
  };
  const change = (index: number | undefined, seq: number, next: (message: Message) => Message) => {
    const entry = index === undefined ? undefined : entries[index];
    if (index === undefined || entry?.kind !== 'message' || entry.asOf >= seq) return;
    entries[index] = { ...entry, message: next(entry.message), asOf: seq };
  };
  const insert = (entry: Entry) => {
    if (!timeline.isLoaded || hasNewer) return;
    const last = entries.at(-1);
    if (last === undefined || entry.seq > last.seq) {
      entries.push(entry);
      if (entry.kind === 'message') indexOfId?.set(entry.message.id, entries.length - 1);
      if (entries.length > limit.max && limit.trim === 'newest') {
        entries.pop();
        hasNewer = true;
      }
      return;
    }
    const index = indexOfSeq(entries, entry.seq);
    if (entries[index]?.seq === entry.seq || (index === 0 && timeline.hasOlder)) return;
    entries.splice(index, 0, entry);
    indexOfId = null;
  };

  for (const envelope of envelopes) {
    const { event, seq } = envelope;
    if (seq === null) continue;
    if (seq > head) head = seq;
    switch (event.type) {
      case 'channel.message':
      case 'thread.message':
        if (belongs(timeline, event.message)) {
          insert({ kind: 'message', seq, message: event.message, asOf: seq });
        }
        break;
      case 'channel.message.edit':
      case 'channel.message.delete': {
        const { message } = event;
        const index = indexOfSeq(entries, message.seq);
        // What it says of reactions is as of then, too.
        if (entries[index]?.seq === message.seq) change(index, seq, () => message);
        break;
      }
      case 'channel.reaction.add':
      case 'channel.reaction.remove': {
        const isAdded = event.type === 'channel.reaction.add';
        change(find(event.messageId), seq, (message) => ({
          ...message,
          reactions: withReaction(message.reactions, event.emoji, event.agentId, isAdded),
        }));
        break;
      }
      default:
        if (timeline.threadId === null && isHappening(envelope)) {
          insert({ kind: 'happening', seq, envelope });
        }
    }
  }
  const trimmed = entries.length > limit.max;
  return {
    ...timeline,
    entries: trimmed ? entries.slice(entries.length - trimmedLength(limit.max)) : entries,
    hasOlder: timeline.hasOlder || trimmed,
    hasNewer,
    head,
  };
}

// A tenth goes at once, so that a full timeline is not cut with each event.
const trimmedLength = (max: number) => Math.ceil(max * 0.9);

function withReaction(
  reactions: Message['reactions'],
  emoji: string,
  agentId: string,
  isAdded: boolean,
): Message['reactions'] {
  const others = (reactions[emoji] ?? []).filter((other) => other !== agentId);
  const agents = isAdded ? [...others, agentId] : others;
  const next = { ...reactions, [emoji]: agents };
  if (agents.length === 0) delete next[emoji];
  return next;
}

/** Puts a page before (`older`) or behind (`newer`) what is there, or in its place (`newest`). */
export function addPage(
  timeline: Timeline,
  page: Page,
  side: 'older' | 'newer' | 'newest',
  max: number,
): Timeline {
  const known = side === 'newest' ? [] : timeline.entries;
  const first = known[0]?.seq ?? Infinity;
  const last = known.at(-1)?.seq ?? -1;
  const isNew = (seq: number) => side === 'newest' || (side === 'older' ? seq < first : seq > last);
  const added: Entry[] = [];
  for (const message of page.messages) {
    if (belongs(timeline, message) && isNew(message.seq)) {
      added.push({ kind: 'message', seq: message.seq, message, asOf: page.head });
    }
  }
  for (const envelope of page.happenings) {
    const { seq } = envelope;
    if (timeline.threadId !== null || seq === null || !isHappening(envelope) || !isNew(seq))
      continue;
    added.push({ kind: 'happening', seq, envelope });
  }
  added.sort((a, b) => a.seq - b.seq);
  const entries = side === 'older' ? [...added, ...known] : [...known, ...added];
  const head = Math.max(timeline.head, page.head);
  switch (side) {
    case 'newest':
      return {
        ...timeline,
        isLoaded: true,
        entries,
        head,
        hasOlder: page.hasMore,
        hasNewer: false,
      };
    case 'older': {
      // Reading backwards, the newest is farthest from the eye.
      const isOver = entries.length > max;
      return {
        ...timeline,
        entries: isOver ? entries.slice(0, max) : entries,
        head,
        hasOlder: page.hasMore,
        hasNewer: timeline.hasNewer || isOver,
      };
    }
    case 'newer': {
      const isOver = entries.length > max;
      return {
        ...timeline,
        entries: isOver ? entries.slice(entries.length - max) : entries,
        head,
        hasOlder: timeline.hasOlder || isOver,
        hasNewer: page.hasMore,
      };
    }
  }
}
