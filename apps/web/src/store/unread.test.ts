import { describe, expect, it } from '@jest/globals';
import { messageOf, sentOf } from '../testing/events.ts';
import { createUnread } from './unread.ts';

const replyOf = (seq: number, threadId = 'root') => sentOf(seq, { threadId });
const mentionOf = (seq: number) => sentOf(seq, { mentions: ['ada'] });

/** The hub's state is that of a channel in which nothing was read. */
function unreadOf(head: number, unread: number, mentions = 0) {
  const counter = createUnread('ada');
  counter.fromHub({ seq: 0, head, unread, mentions });
  return counter;
}

describe('the count of new messages', () => {
  it('counts messages of others, and mentions separately, until they were seen', () => {
    const counter = createUnread('ada');
    counter.apply([sentOf(1), mentionOf(2), sentOf(3, { senderId: 'ada' }), sentOf(4)]);
    expect(counter.value.value).toMatchObject({ seq: 0, count: 3, mentions: 1 });
    counter.markTo(2);
    expect(counter.value.value).toMatchObject({ seq: 2, count: 1, mentions: 0 });
    counter.markTo(1);
    expect(counter.value.value).toMatchObject({ seq: 2, count: 1 });
  });

  it('counts again what came after a mark that goes back, and from the hub what the page has not read', () => {
    const counter = createUnread('ada');
    counter.apply([sentOf(1), mentionOf(2), sentOf(3, { senderId: 'ada' }), sentOf(4)]);
    counter.markTo(4);
    counter.backTo(1, [messageOf(2, { mentions: ['ada'] }), messageOf(4)]);
    expect(counter.value.value).toMatchObject({ seq: 1, count: 2, mentions: 1 });
    counter.fromHub({ seq: 1, head: 6, unread: 4, mentions: 2 });
    expect(counter.value.value).toMatchObject({ count: 4, mentions: 2 });
    counter.backTo(5, []);
    expect(counter.value.value.seq).toBe(1);
  });

  // The race: the hub counts a published message as unread before the page applies its event.
  it('does not count twice what the hub has counted, whether it arrives as an event or in a page', () => {
    const counter = unreadOf(4, 4, 1);
    counter.apply([mentionOf(3), sentOf(4), sentOf(5)]);
    expect(counter.value.value).toMatchObject({ count: 5, mentions: 1 });
    const page = [1, 2, 3, 4, 5].map((seq) => messageOf(seq));
    counter.learn(page);
    counter.learn(page);
    expect(counter.value.value).toMatchObject({ count: 5, mentions: 1 });
    expect(counter.hasUnknownMentions()).toBe(false);
    counter.markTo(5);
    expect(counter.value.value).toMatchObject({ count: 0, mentions: 0 });
  });

  it('is right after the hub’s state was read again, as after a reconnect', () => {
    const counter = unreadOf(2, 2);
    counter.learn([messageOf(1), messageOf(2)]);
    counter.markTo(1);
    counter.fromHub({ seq: 0, head: 3, unread: 3, mentions: 0 });
    expect(counter.value.value.count).toBe(1);
    counter.fromHub({ seq: 1, head: 3, unread: 2, mentions: 0 });
    expect(counter.value.value.count).toBe(2);
  });

  it('stops counting a deleted message, known or not', () => {
    const counter = unreadOf(2, 2);
    counter.learn([messageOf(2)]);
    const deletionOf = (seq: number) => ({
      ...sentOf(seq + 10),
      event: {
        type: 'channel.message.delete' as const,
        channelId: 'c',
        message: messageOf(seq, { deletedAt: 9, content: '' }),
      },
    });
    counter.apply([deletionOf(2)]);
    expect(counter.value.value.count).toBe(1);
    counter.apply([deletionOf(1)]);
    expect(counter.value.value.count).toBe(0);
  });
});

describe('new replies', () => {
  it('count in their thread until it is opened, and not in the channel', () => {
    const counter = unreadOf(3, 3);
    counter.learn([messageOf(1), messageOf(2, { threadId: 'root' }), messageOf(3)]);
    counter.apply([replyOf(4)]);
    const { count, threads } = counter.value.value;
    expect(count).toBe(2);
    expect([...threads]).toEqual([['root', { count: 2, firstSeq: 2 }]]);
    counter.markTo(4);
    expect(counter.value.value.threads.get('root')?.count).toBe(2);
    counter.markThread('root', 4);
    expect(counter.value.value.threads.size).toBe(0);
  });

  // The hub has no marks of threads, so it still counts a reply that was seen in its thread.
  it('that were seen are not counted again when the hub’s state is read', () => {
    const counter = unreadOf(3, 3);
    counter.learn([messageOf(1), messageOf(2), messageOf(3, { threadId: 'root' })]);
    counter.markThread('root', 3);
    counter.fromHub({ seq: 0, head: 3, unread: 3, mentions: 0 });
    expect(counter.value.value.count).toBe(2);
  });

  it('are restored after a reload, though the channel was seen past them', () => {
    const before = unreadOf(3, 3);
    before.learn([messageOf(2, { threadId: 'root', mentions: ['ada'] })]);
    before.markTo(3);
    const counter = createUnread('ada');
    counter.fromHub({ seq: 3, head: 3, unread: 0, mentions: 0 });
    counter.restore(before.replies());
    expect(counter.value.value).toMatchObject({ count: 0, mentions: 1 });
    expect(counter.mentionAfter(0)).toEqual({ seq: 2, threadId: 'root' });
  });

  // The fault: the replies that were learned last were kept. An older page of the channel, loaded later, replaced newer
  // replies.
  it('are kept for a later visit, the 50 newest of them', () => {
    const counter = unreadOf(0, 60);
    const replies = Array.from({ length: 60 }, (_, n) => messageOf(n + 1, { threadId: 'root' }));
    counter.learn(replies.slice(30));
    counter.learn(replies.slice(0, 30));
    const kept = counter.replies().map(([seq]) => seq);
    expect(kept).toHaveLength(50);
    expect(Math.min(...kept)).toBe(11);
  });
});
