import type { Envelope } from '@openclaw/protocol';

/** What somebody has not read in one channel. */
export interface Unread {
  /** Read up to here. */
  readonly seq: number;
  /** Counted up to here: what is heard of before it is in the count already. */
  readonly countedTo: number;
  readonly count: number;
  readonly mentions: number;
}

/** Nothing to read. */
export const nothingUnread: Unread = { seq: 0, countedTo: 0, count: 0, mentions: 0 };

/** Counts the messages of others behind the mark; one's own message is proof of having read what is before it. */
export function countUnread(unread: Unread, envelopes: readonly Envelope[], me: string): Unread {
  let { seq, countedTo, count, mentions } = unread;
  for (const envelope of envelopes) {
    const { event } = envelope;
    if (event.type !== 'channel.message' && event.type !== 'thread.message') continue;
    if (envelope.seq === null || envelope.seq <= Math.max(seq, countedTo)) continue;
    countedTo = envelope.seq;
    if (event.message.senderId === me) {
      if (event.type === 'channel.message')
        ({ seq, count, mentions } = { seq: envelope.seq, count: 0, mentions: 0 });
      continue;
    }
    count += 1;
    if (event.message.mentions.includes(me)) mentions += 1;
  }
  return countedTo === unread.countedTo ? unread : { seq, countedTo, count, mentions };
}
