import { describe, expect, it } from '@jest/globals';
import type { Envelope } from '@openclaw/protocol';
import { envelopeOf, messageOf, sentOf } from '../testing/events.ts';
import {
  changesReplyCount,
  reduceThreads,
  reduceTyping,
  typistsIn,
  withoutExpired,
  type Threads,
  type Typing,
} from './reducers.ts';

const deletionOf = (seq: number, threadId: string | null) =>
  envelopeOf(seq, {
    type: 'channel.message.delete',
    channelId: 'c',
    message: messageOf(seq - 1, { threadId, content: '', deletedAt: seq }),
  });

describe('the replies of a thread', () => {
  it('are counted when they arrive, and no longer once they are deleted', () => {
    const events = [
      sentOf(2, { threadId: 'root' }),
      sentOf(3, { threadId: 'root' }),
      deletionOf(4, 'root'),
      deletionOf(5, null),
      deletionOf(6, 'unknown'),
    ];
    const threads = events.reduce<Threads>(reduceThreads, new Map());
    expect([...threads.values()]).toMatchObject([{ threadId: 'root', replies: 1 }]);
    expect(events.map(({ event }) => changesReplyCount(event))).toEqual([
      ...[true, true, true, false, true],
    ]);
  });
});

describe('typing', () => {
  const typingOf = (agentId: string, typing = true, threadId: string | null = null) =>
    envelopeOf(null, { type: 'channel.typing', channelId: 'c', agentId, typing, threadId });

  it('ends when an event says so, or when no event renews it', () => {
    const ada: Typing = reduceTyping(new Map(), typingOf('ada'), 0);
    const both = reduceTyping(ada, typingOf('bob'), 5_000);
    expect(typistsIn(reduceTyping(both, typingOf('ada', false), 6_000), null)).toEqual(['bob']);
    expect(typistsIn(withoutExpired(both, 13_000), null)).toEqual(['bob']);
    expect(withoutExpired(both, 6_000)).toBe(both);
  });

  it('is of the channel and of each thread by itself, and ends with a message there', () => {
    const reduce = (typing: Typing, envelope: Envelope) => reduceTyping(typing, envelope, 0);
    const places = (typing: Typing) => [null, 't1', 't2'].map((place) => typistsIn(typing, place));
    const started = [typingOf('ada'), typingOf('ada', true, 't1'), typingOf('bob', true, 't1')];
    const typing = started.reduce<Typing>(reduce, new Map());
    expect(places(typing)).toEqual([['ada'], ['ada', 'bob'], []]);
    expect(places(reduce(typing, typingOf('ada', false)))).toEqual([[], ['ada', 'bob'], []]);
    expect(places(reduce(typing, typingOf('ada', false, 't2')))).toEqual(places(typing));
    const reply = sentOf(2, { senderId: 'ada', threadId: 't1' });
    expect(places(reduce(typing, reply))).toEqual([['ada'], ['bob'], []]);
    expect(places(reduce(typing, sentOf(3, { senderId: 'ada' })))).toEqual([
      ...[[], ['ada', 'bob'], []],
    ]);
  });
});
