import { describe, expect, it } from '@jest/globals';
import type { Message } from '@openclaw/protocol';
import { messageOf } from '../../testing/events.ts';
import type { Entry } from '../../store/timeline.ts';
import { editedIn } from './edited-in.ts';
import { lastOwn } from './editing.ts';

const entriesOf = (...messages: Message[]): Entry[] =>
  messages.map((message) => ({ kind: 'message', seq: message.seq, message, asOf: message.seq }));
const own = (seq: number, more: Partial<Message> = {}) =>
  messageOf(seq, { senderId: 'ada', ...more });

describe('the last message of one’s own', () => {
  it('is neither deleted nor another’s', () => {
    const entries = entriesOf(own(1), own(2), own(3, { deletedAt: 9 }), messageOf(4));
    expect(lastOwn(entries, 'ada', null)?.seq).toBe(2);
    expect(lastOwn(entries, 'eve', null)).toBeNull();
  });

  it('is a reply where one replies', () => {
    const root = own(1);
    const entries = entriesOf(root, own(2, { threadId: 'm1' }), messageOf(3, { threadId: 'm1' }));
    expect(lastOwn(entries, 'ada', 'm1')?.seq).toBe(2);
    expect(lastOwn(entriesOf(root), 'ada', 'm1')).toBeNull();
  });
});

describe('what is being edited', () => {
  it('is edited where it was begun, and no longer once it is deleted', () => {
    const editing = { messageId: 'm2', seq: 2, isInThread: false };
    expect(editedIn(entriesOf(own(1), own(2)), editing, false)).toBe(editing);
    expect(editedIn(entriesOf(own(1), own(2)), editing, true)).toBeNull();
    expect(editedIn(entriesOf(own(1), own(3)), editing, false)).toBeNull();
    expect(editedIn(entriesOf(own(2, { deletedAt: 9 })), editing, false)).toBeNull();
    expect(editedIn(entriesOf(own(1)), null, false)).toBeNull();
  });
});
