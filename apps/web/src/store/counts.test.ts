import { describe, expect, it } from '@jest/globals';
import { sentOf } from '../testing/events.ts';
import { typingText, withoutExpired, withTyping } from './typing.ts';
import { countUnread, nothingUnread } from './unread.ts';

describe('what is unread', () => {
  it('counts the messages of others behind the mark, mentions apart', () => {
    const events = [sentOf(1), sentOf(2, { mentions: ['ada'] }), sentOf(3)];
    expect(countUnread({ ...nothingUnread, seq: 1 }, events, 'ada')).toEqual({
      seq: 1,
      countedTo: 3,
      count: 2,
      mentions: 1,
    });
  });

  it('is nothing once one has written', () => {
    const events = [sentOf(1), sentOf(2, { senderId: 'ada' })];
    expect(countUnread(nothingUnread, events, 'ada')).toMatchObject({ seq: 2, count: 0 });
  });

  // The race: a message is heard of, the hub counts what is unread, and only then the page takes the message in.
  // Invariant: each is counted once.
  it('does not count again what the hub has counted', () => {
    const told = { seq: 0, countedTo: 2, count: 2, mentions: 1 };
    expect(countUnread(told, [sentOf(2), sentOf(3)], 'ada')).toMatchObject({
      count: 3,
      countedTo: 3,
    });
  });
});

describe('who is typing', () => {
  const says = (agentId: string, typing = true) => ({ agentId, typing, threadId: null });

  it('ends when it is said, or when nothing is said for long', () => {
    const both = withTyping(withTyping(new Map(), says('ada'), 0), says('bob'), 5_000);
    expect([...withTyping(both, says('ada', false), 6_000).keys()]).toEqual(['bob']);
    expect([...withoutExpired(both, 13_000).keys()]).toEqual(['bob']);
    expect(withoutExpired(both, 6_000)).toBe(both);
  });

  it('is told in words that do not grow with the crowd', () => {
    expect(typingText([])).toBeNull();
    expect(typingText(['ada', 'bob'])).toBe('ada and bob are typing');
    expect(typingText(['a', 'b', 'c', 'd'])).toBe('a, b and 2 others are typing');
  });
});
