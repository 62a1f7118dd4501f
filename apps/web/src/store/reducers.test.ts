import { describe, expect, it } from '@jest/globals';
import { envelopeOf, messageOf, sentOf } from '../testing/events.ts';
import {
  changesReplyCount,
  reduceThreads,
  reduceTyping,
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
  const typingOf = (agentId: string, typing = true) =>
    envelopeOf(null, { type: 'channel.typing', channelId: 'c', agentId, typing, threadId: null });

  it('ends when an event says so, or when no event renews it', () => {
    const ada: Typing = reduceTyping(new Map(), typingOf('ada'), 0);
    const both = reduceTyping(ada, typingOf('bob'), 5_000);
    expect([...reduceTyping(both, typingOf('ada', false), 6_000).keys()]).toEqual(['bob']);
    expect([...withoutExpired(both, 13_000).keys()]).toEqual(['bob']);
    expect(withoutExpired(both, 6_000)).toBe(both);
  });
});
