import type { Envelope, Message } from '@openclaw/protocol';
import { isAskChange } from './asks.ts';
import { isQuestionChange } from './questions.ts';

export type Entry = MessageEntry | SystemEventEntry;

export interface MessageEntry {
  readonly kind: 'message';
  readonly seq: number;
  readonly message: Message;
  /** All events up to this seq are applied to `message`. */
  readonly asOf: number;
}

export interface SystemEventEntry {
  readonly kind: 'systemEvent';
  readonly seq: number;
  readonly envelope: Envelope;
}

/** A timeline is a contiguous part of the conversation of a channel or thread, ordered by seq. */
export interface Timeline {
  /** The id is that of a thread's root message. Null for a channel, whose timeline has no replies. */
  readonly threadId: string | null;
  /** False until the first page has been added. Events are not inserted before that. */
  readonly isLoaded: boolean;
  readonly entries: readonly Entry[];
  readonly hasOlder: boolean;
  /** True when newer entries were left out. Until they are loaded, events are not inserted. */
  readonly hasNewer: boolean;
  readonly head: number;
}

export interface Page {
  readonly messages: readonly Message[];
  readonly systemEvents: readonly Envelope[];
  readonly head: number;
  readonly hasMore: boolean;
}

const systemEventTypes: ReadonlySet<string> = new Set([
  'channel.member.join',
  'channel.member.leave',
  'channel.update',
  'channel.archive',
  'collaboration.event',
]);

export function isSystemEvent({ event, seq }: Envelope): boolean {
  if (seq === null || !systemEventTypes.has(event.type)) return false;
  return (
    event.type !== 'collaboration.event' ||
    !(isAskChange(event.name) || isQuestionChange(event.name))
  );
}

export function emptyTimeline(threadId: string | null = null): Timeline {
  return { threadId, isLoaded: false, entries: [], hasOlder: true, hasNewer: false, head: 0 };
}

export function indexOfSeq(items: readonly { readonly seq: number }[], seq: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((items[middle] as { seq: number }).seq < seq) low = middle + 1;
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

/**
 * A second application of an event changes nothing, so a page and live events may overlap. `trim` says which end
 * loses entries when there are more than `max`.
 */
export function applyEvents(
  timeline: Timeline,
  envelopes: readonly Envelope[],
  { max, trim }: { readonly max: number; readonly trim: 'oldest' | 'newest' },
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
      if (entries.length > max && trim === 'newest') {
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
        // The event contains the whole message, including its reactions, as of this seq.
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
        if (timeline.threadId === null && isSystemEvent(envelope)) {
          insert({ kind: 'systemEvent', seq, envelope });
        }
    }
  }
  const isOver = entries.length > max;
  return {
    ...timeline,
    // Removes a tenth of the entries at once, so that a full timeline is not trimmed for each event.
    entries: isOver ? entries.slice(-Math.ceil(max * 0.9)) : entries,
    hasOlder: timeline.hasOlder || isOver,
    hasNewer,
    head,
  };
}

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

/** Adds the page before (`older`) or after (`newer`) the entries, or replaces them (`newest`). */
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
  for (const envelope of timeline.threadId === null ? page.systemEvents : []) {
    const { seq } = envelope;
    if (seq === null || !isSystemEvent(envelope) || !isNew(seq)) continue;
    added.push({ kind: 'systemEvent', seq, envelope });
  }
  added.sort((a, b) => a.seq - b.seq);
  const entries = side === 'older' ? [...added, ...known] : [...known, ...added];
  const head = Math.max(timeline.head, page.head);
  const isOver = entries.length > max;
  if (side === 'newer') {
    const hasOlder = timeline.hasOlder || isOver;
    return { ...timeline, entries: entries.slice(-max), head, hasOlder, hasNewer: page.hasMore };
  }
  return {
    ...timeline,
    isLoaded: timeline.isLoaded || side === 'newest',
    entries: entries.slice(0, max),
    head,
    hasOlder: page.hasMore,
    hasNewer: side === 'older' && (timeline.hasNewer || isOver),
  };
}
