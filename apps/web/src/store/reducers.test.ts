import { describe, expect, it } from '@jest/globals';
import { isOfReply, threadsAfter } from './reducers.ts';
import { envelopeOf, messageOf, sentOf } from '../testing/events.ts';
import type { Threads } from './threads.ts';

const deletionOf = (seq: number, threadId: string | null) =>
  envelopeOf(seq, {
    ...{ type: 'channel.message.delete', channelId: 'c' },
    message: messageOf(seq - 1, { threadId, content: '', deletedAt: seq }),
  });

describe('a thread’s replies', () => {
  it('are counted as they come, and no more once they are deleted', () => {
    const heard = [
      sentOf(2, { threadId: 'root' }),
      sentOf(3, { threadId: 'root' }),
      deletionOf(4, 'root'),
      deletionOf(5, null),
      deletionOf(6, 'unknown'),
    ];
    const threads = heard.reduce(
      (before: Threads, { event }) => threadsAfter(before, event),
      new Map() as Threads,
    );
    expect([...threads.values()]).toMatchObject([{ threadId: 'root', replies: 1 }]);
    expect(heard.map(({ event }) => isOfReply(event))).toEqual([true, true, true, false, true]);
  });
});
