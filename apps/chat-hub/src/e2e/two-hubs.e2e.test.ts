import { describe, expect, it } from '@jest/globals';
import { envelopeSchema, eventTypes } from '@openclaw/protocol';
import type { RpcSocket } from '@openclaw/test-support';
import { startTwoHubs } from '../testing/two-hubs.ts';

const { hubA, hubB } = await startTwoHubs();

async function pair(channelId: string): Promise<{ ana: RpcSocket; ben: RpcSocket }> {
  const ana = await hubA.connect('ana');
  const ben = await hubB.connect('ben');
  await ana.call('channel.create', { channelId, name: channelId });
  await ben.call('channel.join', { channelId });
  await ana.call('subscribe', { topics: [{ channelId, since: 0 }] });
  await ben.call('subscribe', { topics: [{ channelId, since: 0 }] });
  return { ana, ben };
}

describe('two hubs on one Redis and one database', () => {
  it('exchange all 17 event types, each with an envelope of the protocol', async () => {
    const channelId = 'all-types';
    const { ana, ben } = await pair(channelId);

    const { messageId } = await ana.call('message.send', { channelId, content: 'Hello world! 🚀' });
    await ana.call('message.edit', { channelId, messageId, content: 'Hello!' });
    await ana.call('reaction.add', { channelId, messageId, emoji: '👍' });
    await ana.call('reaction.remove', { channelId, messageId, emoji: '👍' });
    await ana.call('thread.create', { channelId, messageId, title: 'A thread' });
    await ana.call('thread.update', { channelId, threadId: messageId, title: 'The thread' });
    await ana.call('message.send', { channelId, threadId: messageId, content: 'a reply' });
    await ana.call('message.delete', { channelId, messageId });
    await ana.call('typing.start', { channelId });
    await ana.call('presence.set', { status: 'dnd', customStatus: 'Reviewing PRs', avatar: '🤖' });
    await ana.call('member.add', { channelId, agentId: 'cem' });
    await ana.call('member.update', { channelId, agentId: 'cem', role: 'owner' });
    await ana.call('member.remove', { channelId, agentId: 'cem' });
    await ana.call('collaboration.emit', { channelId, name: 'turn', payload: { step: 1 } });
    await ana.call('channel.update', { channelId, topic: 'All types' });
    await ana.call('channel.archive', { channelId });
    await ana.call('channel.delete', { channelId });

    await ben.event(({ event }) => event.type === 'channel.delete');
    await ben.event(({ event }) => event.type === 'channel.presence');
    await ben.event(({ event }) => event.type === 'channel.typing');
    const types = new Set(ben.events.map(({ event }) => event.type as string));
    const log = await ana.call('log.read', { channelId, after: 0 }).catch(() => null);
    expect(log).toBeNull();
    expect([...types, 'channel.member.join'].sort()).toEqual(
      expect.arrayContaining([...eventTypes].sort()),
    );
    for (const envelope of ben.events) expect(() => envelopeSchema.parse(envelope)).not.toThrow();

    const seqs = ben.events.map(({ seq }) => seq as number | null).filter((seq) => seq !== null);
    expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) + index));
    await Promise.all([ana.close(), ben.close()]);
  });

  it('Full chat message flow (agent → Redis → agent): an event goes over Redis, not only through the log', async () => {
    const channelId = 'flow';
    const { ana, ben } = await pair(channelId);
    const { seq, messageId, duplicate } = await ana.call('message.send', {
      channelId,
      content: 'over Redis',
    });
    const got = await ben.event(
      ({ event }) => event.type === 'channel.message' && event.message.id === messageId,
    );
    expect(duplicate).toBe(false);
    expect(got).toMatchObject({
      seq,
      channelId,
      senderId: 'ana',
      event: { message: { content: 'over Redis' } },
    });
    // The messages are sent one by one. If Redis delivered none of them, the tail check would count a repair for each.
    const repairs = async () => {
      const text = await (await fetch(`${hubB.url}/metrics`)).text();
      return Number(/^hub_tail_repairs_total (\S+)$/m.exec(text)?.[1]);
    };
    const before = await repairs();
    for (let sent = 0; sent < 20; sent += 1) {
      const one = await ana.call('message.send', { channelId, content: 'over Redis again' });
      await ben.event((envelope) => envelope.seq === one.seq);
    }
    expect((await repairs()) - before).toBeLessThan(10);
    await Promise.all([ana.close(), ben.close()]);
  });

  it('Presence tracking (join → heartbeat → leave) is visible on the other hub', async () => {
    const channelId = 'presence';
    const { ana, ben } = await pair(channelId);
    const isBen =
      (status: string) =>
      (envelope: { event: { type: string; presences: { agentId: string; status: string }[] } }) =>
        envelope.event.type === 'channel.presence' &&
        envelope.event.presences.some(
          (presence) => presence.agentId === 'ben' && presence.status === status,
        );
    await ana.event(isBen('online'));
    const listed = await ana.call('presence.list', { channelId });
    expect(listed.presences.map((presence: { agentId: string }) => presence.agentId)).toEqual([
      'ana',
      'ben',
    ]);
    expect(listed.degraded).toBe(false);
    await ben.close();
    await ana.event(isBen('offline'));
    await ana.close();
  });

  it('Typing indicators (start → update → stop): one event per change on the other hub', async () => {
    const channelId = 'typing';
    const { ana, ben } = await pair(channelId);
    await ana.call('typing.start', { channelId });
    await ben.event(({ event }) => event.type === 'channel.typing' && event.typing === true);
    await ana.call('typing.start', { channelId });
    expect(await ben.call('typing.list', { channelId })).toEqual({
      agents: ['ana'],
      degraded: false,
    });
    await ana.call('message.send', { channelId, content: 'typed' });
    await ben.event(({ event }) => event.type === 'channel.typing' && event.typing === false);
    const changes = ben.events
      .filter(({ event }) => event.type === 'channel.typing')
      .map(({ event }) => event.typing);
    expect(changes).toEqual([true, false]);
    await Promise.all([ana.close(), ben.close()]);
  });

  it('Reaction add/remove and Message edit/delete propagation reach history on the other hub', async () => {
    const channelId = 'edits';
    const { ana, ben } = await pair(channelId);
    const history = async () =>
      (await ben.call('message.history', { channelId })).messages as Record<string, unknown>[];
    const { messageId } = await ana.call('message.send', { channelId, content: 'first' });
    expect(await history()).toMatchObject([{ content: 'first', reactions: {} }]);
    expect(await ana.call('reaction.add', { channelId, messageId, emoji: '👍' })).toMatchObject({
      changed: true,
    });
    expect(await ana.call('reaction.add', { channelId, messageId, emoji: '👍' })).toEqual({
      seq: null,
      changed: false,
    });
    await ben.event(({ event }) => event.type === 'channel.reaction.add');
    expect(await history()).toMatchObject([{ reactions: { '👍': ['ana'] } }]);
    await ana.call('message.edit', { channelId, messageId, content: 'second' });
    await ben.event(({ event }) => event.type === 'channel.message.edit');
    expect(await history()).toMatchObject([{ content: 'second' }]);
    await ana.call('reaction.remove', { channelId, messageId, emoji: '👍' });
    await ana.call('message.delete', { channelId, messageId });
    await ben.event(({ event }) => event.type === 'channel.message.delete');
    expect(await history()).toMatchObject([{ content: '', reactions: {} }]);
    await Promise.all([ana.close(), ben.close()]);
  });

  it('Channel member list sync: agents that join and leave on one hub are listed on the other', async () => {
    const channelId = 'members';
    const { ana, ben } = await pair(channelId);
    const members = async () =>
      (
        (await ana.call('member.list', { channelId })).members as {
          agentId: string;
          role: string;
        }[]
      ).map(({ agentId, role }) => `${agentId}:${role}`);
    expect(await members()).toEqual(['ana:owner', 'ben:member']);
    await ben.call('channel.leave', { channelId });
    await ana.event(({ event }) => event.type === 'channel.member.leave');
    expect(await members()).toEqual(['ana:owner']);
    await Promise.all([ana.close(), ben.close()]);
  });

  it('a removed member stops receiving with the event that removes it', async () => {
    const channelId = 'removed';
    const { ana, ben } = await pair(channelId);
    await ana.call('member.remove', { channelId, agentId: 'ben' });
    await ana.call('message.send', { channelId, content: 'not for ben' });
    await ben.event(({ event }) => event.type === 'channel.member.leave');
    await expect(ben.call('message.send', { channelId, content: 'x' })).rejects.toMatchObject({
      code: 'forbidden',
    });
    // The direct message to Ben is sent last through the same hub, so all earlier events arrive before it.
    await ana.call('direct.send', { agentId: 'ben', content: 'bye' });
    await ben.event(
      ({ event }) => event.type === 'channel.message' && event.message.content === 'bye',
    );
    expect(ben.events.some(({ event }) => event.message?.content === 'not for ben')).toBe(false);
    await Promise.all([ana.close(), ben.close()]);
  });

  it('direct messages reach both agents on every hub without a subscription, even after a reconnect', async () => {
    const [ana, ben] = [await hubA.connect('ana2'), await hubB.connect('ben2')];
    const first = await ana.call('direct.send', { agentId: 'ben2', content: 'hi' });
    const isHi = ({ event }: { event: { message?: { content: string } } }) =>
      event.message?.content === 'hi';
    expect(await ben.event(isHi)).toMatchObject({ channelId: first.channelId, seq: 1 });
    expect(await ana.event(isHi)).toMatchObject({ channelId: first.channelId, seq: 1 });
    await ben.close();
    const second = await ana.call('direct.send', { agentId: 'ben2', content: 'still there?' });
    const back = await hubB.connect('ben2');
    expect(back.welcome.direct).toEqual([{ channelId: first.channelId, head: second.seq }]);
    const resumed = await back.call('subscribe', {
      topics: [{ channelId: first.channelId, since: 1 }],
    });
    expect(resumed.topics[0]).toMatchObject({
      resumed: true,
      head: second.seq,
      events: [{ seq: 2 }],
    });
    await ana.call('direct.send', { agentId: 'ben2', content: 'live again' });
    await back.event(({ event }) => event.message?.content === 'live again');
    await Promise.all([ana.close(), back.close()]);
  });

  it('a mention and an invitation come as notices to an agent that is not subscribed', async () => {
    const channelId = 'notices';
    await using ana = await hubA.connect('ana');
    await using dan = await hubB.connect('dan');
    await ana.call('channel.create', { channelId, name: 'Notices', kind: 'private' });
    await ana.call('member.add', { channelId, agentId: 'dan' });
    await dan.notification('notice', ({ event }) => event.type === 'channel.member.join');
    await ana.call('message.send', { channelId, content: 'dan, look', mentions: ['dan'] });
    await dan.notification('notice', ({ event }) => event.type === 'channel.message');
    const { channels } = await dan.call('read.state');
    expect(channels).toMatchObject([{ channelId, mentions: 1, unread: 1 }]);
    expect(dan.events.filter((envelope) => envelope.channelId === channelId)).toEqual([]);
  });

  it('a global event of an admin reaches every connection of both hubs once', async () => {
    const [admin, ana, ben] = [
      await hubA.connect('root', { query: '&role=admin' }),
      await hubA.connect('ana'),
      await hubB.connect('ben'),
    ];
    await expect(
      ana.call('collaboration.emit', { channelId: null, name: 'x', payload: {} }),
    ).rejects.toMatchObject({ code: 'forbidden' });
    await admin.call('collaboration.emit', {
      channelId: null,
      name: 'all hands',
      payload: { at: 'noon' },
    });
    const isIt = (envelope: { channelId: string | null }) => envelope.channelId === null;
    for (const socket of [ana, ben]) {
      expect(await socket.event(isIt)).toMatchObject({
        seq: null,
        event: { type: 'collaboration.event', name: 'all hands' },
      });
      expect(socket.events.filter(isIt)).toHaveLength(1);
    }
    await Promise.all([admin.close(), ana.close(), ben.close()]);
  });
});
