import { describe, expect, it } from '@jest/globals';
import type { Message } from '@openclaw/protocol';
import type { Entry } from '../../store/timeline.ts';
import { messageOf } from '../../testing/events.ts';
import { editingIn, lastOwnMessage } from './editing.ts';

const entriesOf = (...messages: Message[]): Entry[] =>
  messages.map((message) => ({ kind: 'message', seq: message.seq, message, asOf: message.seq }));
const own = (seq: number, more: Partial<Message> = {}) =>
  messageOf(seq, { senderId: 'ada', ...more });

describe('the last own message', () => {
  it('is neither deleted nor from another agent', () => {
    const entries = entriesOf(own(1), own(2), own(3, { deletedAt: 9 }), messageOf(4));
    expect(lastOwnMessage(entries, 'ada', null)?.seq).toBe(2);
    expect(lastOwnMessage(entries, 'eve', null)).toBeNull();
  });

  it('is a reply in a thread', () => {
    const root = own(1);
    const entries = entriesOf(root, own(2, { threadId: 'm1' }), messageOf(3, { threadId: 'm1' }));
    expect(lastOwnMessage(entries, 'ada', 'm1')?.seq).toBe(2);
    expect(lastOwnMessage(entriesOf(root), 'ada', 'm1')).toBeNull();
  });
});

describe('an edit', () => {
  it('is shown where it was started, until its message is deleted', () => {
    const editing = { messageId: 'm2', seq: 2, isInThread: false };
    expect(editingIn(entriesOf(own(1), own(2)), editing, false)).toBe(editing);
    expect(editingIn(entriesOf(own(1), own(2)), editing, true)).toBeNull();
    expect(editingIn(entriesOf(own(1), own(3)), editing, false)).toBeNull();
    expect(editingIn(entriesOf(own(2, { deletedAt: 9 })), editing, false)).toBeNull();
    expect(editingIn(entriesOf(own(1)), null, false)).toBeNull();
  });
});
