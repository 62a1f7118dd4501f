import { describe, expect, it } from '@jest/globals';
import type { CallMethod, CallOptions } from './calls.ts';
import { createChannel, type HubChannel } from './channel.ts';
import { createEventListeners } from './listeners.ts';
import type { Subscriptions } from './subscriptions.ts';

const channelId = 'hall';
const options: CallOptions = { timeoutMs: 7 };

async function callOf(make: (channel: HubChannel) => Promise<unknown>) {
  const calls: unknown[][] = [];
  const channel = createChannel(channelId, {
    call: (async (...args: unknown[]) => void calls.push(args)) as unknown as CallMethod,
    subscriptions: {} as Subscriptions,
    events: createEventListeners(),
    streamMax: 1,
    onDiscontinuity: () => () => {},
  });
  await make(channel);
  expect(calls).toHaveLength(1);
  return calls[0];
}

describe('a channel', () => {
  it.each<[string, object, (channel: HubChannel) => Promise<unknown>]>([
    [
      'message.send',
      { content: 'x', mentions: ['bob'] },
      (room) => room.send('x', { mentions: ['bob'] }, options),
    ],
    [
      'message.send',
      { content: 'x', threadId: 'm1' },
      (room) => room.reply({ id: 'm1', threadId: null }, 'x', {}, options),
    ],
    [
      'message.send',
      { content: 'x', threadId: 'root' },
      (room) => room.reply({ id: 'm2', threadId: 'root' }, 'x', {}, options),
    ],
    [
      'ask.create',
      { to: ['bob'], content: 'x', deadlineMs: 9_000, threadId: 'm1' },
      (room) => room.ask(['bob'], 'x', 9_000, { threadId: 'm1' }, options),
    ],
    [
      'question.open',
      { title: 'Deploy?', options: [{ id: 'yes', label: 'Yes' }], quorum: 2 },
      (room) => room.question('Deploy?', [{ id: 'yes', label: 'Yes' }], { quorum: 2 }, options),
    ],
    ['message.edit', { messageId: 'm', content: 'x' }, (room) => room.edit('m', 'x', options)],
    ['message.delete', { messageId: 'm' }, (room) => room.delete('m', options)],
    ['reaction.add', { messageId: 'm', emoji: '👍' }, (room) => room.react('m', '👍', options)],
    [
      'reaction.remove',
      { messageId: 'm', emoji: '👍' },
      (room) => room.unreact('m', '👍', options),
    ],
    ['message.history', { before: 3 }, (room) => room.history({ before: 3 }, options)],
    ['message.get', { messageId: 'm' }, (room) => room.message('m', options)],
    ['log.read', { after: 3, waitMs: 9 }, (room) => room.log({ after: 3, waitMs: 9 }, options)],
    ['channel.get', {}, (room) => room.get(options)],
    ['channel.update', { topic: null }, (room) => room.update({ topic: null }, options)],
    ['channel.archive', {}, (room) => room.archive(options)],
    ['channel.unarchive', {}, (room) => room.unarchive(options)],
    ['message.search', { query: 'q', limit: 5 }, (room) => room.search('q', { limit: 5 }, options)],
    ['channel.delete', {}, (room) => room.deleteChannel(options)],
    ['channel.join', {}, (room) => room.join(options)],
    ['channel.leave', {}, (room) => room.leave(options)],
    ['member.list', { limit: 5 }, (room) => room.members({ limit: 5 }, options)],
    [
      'member.add',
      { agentId: 'bob', role: 'owner' },
      (room) => room.addMember('bob', { role: 'owner' }, options),
    ],
    [
      'member.update',
      { agentId: 'bob', displayName: 'Bob' },
      (room) => room.updateMember('bob', { displayName: 'Bob' }, options),
    ],
    ['member.remove', { agentId: 'bob' }, (room) => room.removeMember('bob', options)],
    ['presence.list', { limit: 5 }, (room) => room.presence({ limit: 5 }, options)],
    ['typing.start', { threadId: null }, (room) => room.startTyping(null, options)],
    ['typing.stop', { threadId: 'root' }, (room) => room.stopTyping('root', options)],
    ['typing.list', { threadId: null }, (room) => room.typing(null, options)],
    ['typing.list', { threadId: 'root' }, (room) => room.typing('root', options)],
    [
      'thread.create',
      { messageId: 'm', title: null },
      (room) => room.createThread('m', null, options),
    ],
    [
      'thread.update',
      { threadId: 'm', title: 'T' },
      (room) => room.updateThread('m', 'T', options),
    ],
    ['thread.list', { limit: 5 }, (room) => room.threads({ limit: 5 }, options)],
    ['collaboration.emit', { name: 'n', payload: {} }, (room) => room.emit('n', {}, options)],
    ['read.mark', { seq: 4 }, (room) => room.markRead(4, {}, options)],
    ['read.mark', { seq: 4, back: true }, (room) => room.markRead(4, { back: true }, options)],
  ])('calls %s with its own id, %j and the caller’s options', async (method, params, make) => {
    expect(await callOf(make)).toEqual([method, { ...params, channelId }, options]);
  });
});
