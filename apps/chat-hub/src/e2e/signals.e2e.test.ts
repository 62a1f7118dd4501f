import { describe, expect, it } from '@jest/globals';
import { waitFor, type RpcSocket } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { startTestHub, type TestHub } from '../testing/test-hub.ts';
import { startTwoHubs } from '../testing/two-hubs.ts';

const { environment, hubA, hubB } = await startTwoHubs();
const ana = closeAfterAll(await hubA.connect('ana'));
const ben = closeAfterAll(await hubB.connect('ben'));

/** Ben follows the channel on hub B; Ana does not follow it. */
async function watchedChannel(channelId: string): Promise<void> {
  await ana.call('channel.create', { channelId, name: channelId });
  await ana.call('member.add', { channelId, agentId: 'ben' });
  await ben.call('subscribe', { topics: [{ channelId }] });
}

async function typingUntilNow(channelId: string): Promise<boolean[]> {
  const { seq } = await ana.call('message.send', { channelId, content: 'until here' });
  await ben.event((envelope) => envelope.channelId === channelId && envelope.seq === seq);
  return ben.events
    .filter((envelope) => envelope.channelId === channelId)
    .filter(({ event }) => event.type === 'channel.typing')
    .map(({ event }) => event.typing);
}
const isTyping =
  (channelId: string, typing: boolean) =>
  (envelope: { channelId: string; event: { type: string; typing?: boolean } }) =>
    envelope.channelId === channelId &&
    envelope.event.type === 'channel.typing' &&
    envelope.event.typing === typing;

describe('typing', () => {
  // The race: the sender's hub has not opened the channel's room, so it has not seen the start of the typing.
  it('stops with the message of a sender that is not subscribed', async () => {
    const channelId = 'not-subscribed';
    await watchedChannel(channelId);
    await ana.call('typing.start', { channelId });
    await ana.call('message.send', { channelId, content: 'typed' });
    await ben.event(isTyping(channelId, false));
    expect(await ana.call('typing.list', { channelId })).toMatchObject({ agents: [] });
    expect(await typingUntilNow(channelId)).toEqual([true, false]);
  });

  it('goes on when a message is refused', async () => {
    const channelId = 'refused';
    await watchedChannel(channelId);
    await ana.call('typing.start', { channelId });
    await expect(
      ana.call('message.send', { channelId, content: 'typed', replyTo: 'absent' }),
    ).rejects.toMatchObject({ code: 'not_found' });
    expect(await ana.call('typing.list', { channelId })).toMatchObject({ agents: ['ana'] });
  });

  // The race: the message arrives while the call typing.start waits for Redis.
  it('stops with a message that comes while typing.start is in flight', async () => {
    for (const channelId of ['in-flight', 'in-flight-subscribed']) {
      await watchedChannel(channelId);
      if (channelId === 'in-flight-subscribed')
        await ana.call('subscribe', { topics: [{ channelId }] });
      await Promise.all([
        ana.call('typing.start', { channelId }),
        ana.call('message.send', { channelId, content: 'typed' }),
      ]);
      await ben.event(isTyping(channelId, false));
      expect(await ana.call('typing.list', { channelId })).toMatchObject({ agents: [] });
      expect(await typingUntilNow(channelId)).toEqual([true, false]);
    }
  });

  // The race: an agent has two sockets, and the one that is not typing closes.
  it('started by one socket of an agent continues when another one closes', async () => {
    const channelId = 'two-sockets';
    await watchedChannel(channelId);
    await ana.call('subscribe', { topics: [{ channelId }] });
    const tab = await hubA.connect('ana');
    await tab.call('subscribe', { topics: [{ channelId }] });
    await ana.call('typing.start', { channelId });
    await ben.event(isTyping(channelId, true));
    await closedOn(hubA, tab);
    expect(await ana.call('typing.list', { channelId })).toMatchObject({ agents: ['ana'] });
    expect(ben.events.filter(isTyping(channelId, false))).toEqual([]);
    // Negative control: closing the socket that is typing ends the typing.
    const other = await hubA.connect('ana');
    await other.call('typing.start', { channelId });
    await closedOn(hubA, other);
    await ben.event(isTyping(channelId, false));
    expect(await typingUntilNow(channelId)).toEqual([true, false]);
  });
});

describe('typing by thread', () => {
  /** Lists the typing events that Ben has received, as `threadId state`, up to a message that Ana sends now. */
  async function placesUntilNow(channelId: string): Promise<string[]> {
    await typingUntilNow(channelId);
    return ben.events
      .filter((envelope) => envelope.channelId === channelId)
      .filter(({ event }) => event.type === 'channel.typing')
      .map(({ event }) => `${event.threadId ?? 'outside'} ${event.typing ? 'types' : 'stops'}`);
  }
  const list = (channelId: string, threadId?: string) =>
    ben.call('typing.list', { channelId, ...(threadId !== undefined && { threadId }) });

  it('shows an agent that types in a thread and in the channel as two; a stop in one leaves the other', async () => {
    const channelId = 'typing-by-thread';
    await watchedChannel(channelId);
    const { messageId: root } = await ana.call('message.send', { channelId, content: 'root' });
    const threadId = root as string;
    await ana.call('typing.start', { channelId, threadId });
    await ana.call('typing.start', { channelId });
    await ana.call('typing.start', { channelId, threadId });
    expect(await list(channelId)).toEqual({ agents: ['ana'], degraded: false });
    expect(await list(channelId, threadId)).toEqual({ agents: ['ana'], degraded: false });
    expect(await list(channelId, 'another')).toEqual({ agents: [], degraded: false });

    await ana.call('typing.stop', { channelId, threadId });
    expect(await list(channelId, threadId)).toMatchObject({ agents: [] });
    expect(await list(channelId)).toMatchObject({ agents: ['ana'] });
    await ana.call('typing.start', { channelId, threadId });
    await ana.call('typing.stop', { channelId });
    expect(await list(channelId, threadId)).toMatchObject({ agents: ['ana'] });
    expect(await placesUntilNow(channelId)).toEqual([
      `${threadId} types`,
      'outside types',
      `${threadId} stops`,
      `${threadId} types`,
      'outside stops',
    ]);
  });

  it('ends with a message in the thread or in the channel, there alone, and with the socket everywhere', async () => {
    const channelId = 'message-by-thread';
    await watchedChannel(channelId);
    const { messageId: root } = await ana.call('message.send', { channelId, content: 'root' });
    const threadId = root as string;
    const typist = await hubA.connect('ana');
    for (const place of [{ channelId, threadId }, { channelId }]) {
      await typist.call('typing.start', place);
    }
    await typist.call('message.send', { channelId, content: 'reply', threadId });
    await waitFor(async () => ((await list(channelId, threadId)).agents as string[]).length === 0, {
      what: 'the end of the typing in the thread',
    });
    expect(await list(channelId)).toMatchObject({ agents: ['ana'] });
    await typist.call('typing.start', { channelId, threadId });
    await closedOn(hubA, typist);
    await waitFor(async () => ((await list(channelId)).agents as string[]).length === 0, {
      what: 'the end of all typing',
    });
    const places = await placesUntilNow(channelId);
    expect(places.slice(0, 4)).toEqual([
      `${threadId} types`,
      'outside types',
      `${threadId} stops`,
      `${threadId} types`,
    ]);
    expect(places.slice(4).sort()).toEqual([`${threadId} stops`, 'outside stops'].sort());
  });
});

async function closedOn(hub: TestHub, socket: RpcSocket): Promise<void> {
  const count = async () =>
    Number(/hub_sockets (\d+)/.exec(await (await fetch(`${hub.url}/metrics`)).text())?.[1]);
  const before = await count();
  await socket.close();
  await waitFor(async () => (await count()) < before, { what: 'one socket less' });
}

describe('a graceful stop of a hub', () => {
  // The race: the hub closes its bus while it publishes that its leases have ended. Invariant: its agents go offline at
  // once, not when their leases would expire.
  it('announces its agents offline on the other hub', async () => {
    const channelId = 'stopped';
    await watchedChannel(channelId);
    await using stopping = await startTestHub(environment);
    await waitFor(() => stopping.redis.available, { what: 'Redis for a hub' });
    const leaving = ['cem', 'dan', 'eva'];
    for (const agentId of leaving) {
      await ana.call('member.add', { channelId, agentId });
      const socket = await stopping.connect(agentId);
      await socket.call('subscribe', { topics: [{ channelId }] });
    }
    const statuses = (agentId: string) =>
      ben.events
        .filter((envelope) => envelope.channelId === channelId)
        .filter(({ event }) => event.type === 'channel.presence')
        .flatMap(({ event }) => event.presences as { agentId: string; status: string }[])
        .filter((presence) => presence.agentId === agentId)
        .map(({ status }) => status);
    await waitFor(() => leaving.every((agentId) => statuses(agentId).includes('online')), {
      what: 'everyone online',
    });
    await stopping.close();
    await waitFor(() => leaving.every((agentId) => statuses(agentId).at(-1) === 'offline'), {
      timeoutMs: 3_000,
      what: 'everyone offline',
    });
    for (const agentId of leaving) expect(statuses(agentId)).toEqual(['online', 'offline']);
    const { presences } = await ben.call('presence.list', { channelId });
    expect(presences.map((presence: { agentId: string }) => presence.agentId)).toEqual(['ben']);
  });
});
