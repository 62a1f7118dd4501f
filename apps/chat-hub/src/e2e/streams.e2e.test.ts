import { describe, expect, it } from '@jest/globals';
import { limits, messageDeltaEvent } from '@openclaw/protocol';
import { waitFor, type RpcSocket } from '@openclaw/test-support';
import { startTwoHubs } from '../testing/two-hubs.ts';

const awayMs = 1_000;
const { hubA, hubB } = await startTwoHubs(
  { HUB_LIMIT_MESSAGE: '100000/60' },
  { agentTimes: { streamAwayMs: awayMs, streamCheckMs: 100 } },
);

const isDelta = ({ event }: { event: { name?: string } }) => event.name === messageDeltaEvent;
const isEdit = ({ event }: { event: { type: string } }) => event.type === 'channel.message.edit';
const codeOf = (socket: RpcSocket, method: string, params: object) =>
  socket.call(method, params).then(
    () => 'ok',
    ({ code }) => code as string,
  );

async function channel(channelId: string) {
  const author = await hubA.connect(`author-${channelId}`);
  await author.call('channel.create', { channelId, name: channelId });
  const watcher = await hubB.connect(`watcher-${channelId}`);
  await watcher.call('channel.join', { channelId });
  for (const socket of [author, watcher])
    await socket.call('subscribe', { topics: [{ channelId }] });
  const begin = async (more: object = {}) => {
    const sent = await author.call('message.send', {
      ...{ channelId, content: '', stream: true },
      ...more,
    });
    return { channelId, messageId: sent.messageId as string };
  };
  const close = () => Promise.all([author.close(), watcher.close()]);
  return { channelId, author, watcher, begin, close };
}

describe('a message that grows', () => {
  it('is the same for readers of the history, for watchers and in the log', async () => {
    const { channelId, author, watcher, begin, close } = await channel('same');
    const of = await begin();
    const append = (from: number, text: string) =>
      author.call('message.append', { ...of, from, text });
    expect(await append(0, 'Three 👍')).toEqual({ length: 8 });
    // A client that repeats an append after a lost answer sends text that overlaps.
    expect(await append(6, '👍 tests')).toEqual({ length: 14 });
    await expect(append(6, 'no')).rejects.toMatchObject({
      data: { code: 'conflict', length: 14, state: 'streaming' },
    });
    await expect(append(15, 'x')).rejects.toMatchObject({ data: { length: 14 } });
    await waitFor(
      async () => {
        const { messages } = await watcher.call('message.history', { channelId });
        return messages.at(-1).content === 'Three 👍 tests';
      },
      { what: 'the checkpoint, which no cached page hides', timeoutMs: 2_000 },
    );
    const { seq } = await author.call('message.finish', { ...of, state: 'stopped', length: 14 });
    await watcher.event((envelope) => envelope.seq === seq);
    let text = '';
    for (const { event } of watcher.events.filter(isDelta)) {
      expect(event.payload.from).toBe(text.length);
      text += event.payload.text;
    }
    expect(text).toBe('Three 👍 tests');
    const { events } = await watcher.call('log.read', { channelId, after: 0 });
    expect(events.filter(isEdit)).toHaveLength(1);
    expect(events.filter(isDelta)).toEqual([]);
    await close();
  });

  it('grows in a direct channel, and wakes the other agent at its end', async () => {
    const [ana, ben] = [await hubA.connect('ana'), await hubB.connect('ben')];
    const sent = { agentId: 'ben', content: '', stream: true };
    const { channelId, messageId } = await ana.call('direct.send', sent);
    await ben.event(({ event }) => event.message?.id === messageId);
    expect((await ben.call('inbox.read')).items).toEqual([]);
    await ana.call('message.append', { channelId, messageId, from: 0, text: 'only for you' });
    expect((await ben.event(isDelta)).event.payload).toEqual({
      ...{ messageId, from: 0, text: 'only for you' },
    });
    await ana.call('message.finish', { channelId, messageId, state: 'complete', length: 12 });
    const { items } = await ben.call('inbox.read', { waitMs: 5_000 });
    expect(items).toMatchObject([{ reason: 'direct', message: { content: 'only for you' } }]);
    await Promise.all([ana.close(), ben.close()]);
  });

  it('grows for its author alone, up to a message’s size, and for no one after a freeze', async () => {
    const { channelId, author, watcher, begin, close } = await channel('rights');
    const of = await begin();
    const append = { ...of, from: 0, text: 'mine' };
    expect(await codeOf(watcher, 'message.append', append)).toBe('forbidden');
    const stranger = await hubB.connect('stranger');
    expect(await codeOf(stranger, 'message.append', append)).toBe('forbidden');
    expect(await codeOf(author, 'message.append', append)).toBe('ok');
    expect(await codeOf(watcher, 'message.append', append)).toBe('forbidden');
    const text = 'ä'.repeat(limits.contentBytes / 2);
    expect(await codeOf(author, 'message.append', { ...of, from: 4, text })).toBe('too_large');
    const most = { ...of, from: 4, text: text.slice(2) };
    expect(await codeOf(author, 'message.append', most)).toBe('ok');
    const forged = { channelId, name: messageDeltaEvent, payload: {} };
    expect(await codeOf(author, 'collaboration.emit', forged)).toBe('forbidden');

    const admin = await hubB.connect('root', { query: '&kind=person&role=admin' });
    const second = await begin();
    await author.call('message.append', { ...second, from: 0, text: 'before' });
    await admin.call('freeze', { scope: 'channel', id: channelId, reason: 'loop' });
    const frozenAt = (await watcher.event(({ event }) => event.name === 'freeze.set')).seq;
    expect(await codeOf(author, 'message.append', { ...second, from: 6, text: '!' })).toBe(
      'frozen',
    );
    await watcher.event(
      ({ event }) =>
        event.message?.id === second.messageId && event.message.state === 'interrupted',
    );
    const { events } = await watcher.call('log.read', { channelId, after: frozenAt });
    expect(events).toEqual([]);
    await admin.call('unfreeze', { scope: 'channel', id: channelId });
    const third = await begin();
    await admin.call('freeze', { scope: 'agent', id: author.welcome.agentId, reason: 'loop' });
    const { event } = await watcher.event(
      ({ event }) => event.message?.id === third.messageId && event.type === 'channel.message.edit',
    );
    expect(event.message.state).toBe('interrupted');
    await admin.call('unfreeze', { scope: 'agent', id: author.welcome.agentId });
    await Promise.all([close(), stranger.close(), admin.close()]);
  });

  it('is interrupted once when its author has no connection, and may still be finished', async () => {
    const { channelId, author, watcher, begin, close } = await channel('away');
    const of = await begin();
    await author.call('message.append', { ...of, from: 0, text: 'half' });
    const elsewhere = await hubB.connect(author.welcome.agentId);
    const gone = await hubA.connect('gone');
    await gone.call('channel.join', { channelId });
    const lost = await gone.call('message.send', { channelId, content: '', stream: true });
    await Promise.all([author.close(), gone.close()]);
    const ofGone = await watcher.event(isEdit);
    expect(ofGone.event.message).toMatchObject({ id: lost.messageId, state: 'interrupted' });
    const isOwn = (envelope: { event: { type: string; message?: { id: string } } }) =>
      isEdit(envelope) && envelope.event.message?.id === of.messageId;
    expect(watcher.events.filter(isOwn)).toEqual([]);
    await elsewhere.close();
    const { event, senderId, senderKind } = await watcher.event(isOwn);
    expect([senderId, senderKind]).toEqual(['hub', 'hub']);
    expect(event.message).toMatchObject({ content: 'half', state: 'interrupted' });

    const back = await hubB.connect(author.welcome.agentId);
    await expect(
      back.call('message.append', { ...of, from: 4, text: ' more' }),
    ).rejects.toMatchObject({ data: { code: 'conflict', length: 4, state: 'interrupted' } });
    const whole = { ...of, state: 'complete', content: 'half more' };
    const { seq } = await back.call('message.finish', whole);
    await watcher.event((envelope) => envelope.seq === seq);
    const { events } = await watcher.call('log.read', { channelId, after: 0 });
    expect(
      events
        .filter(isOwn)
        .map(({ event }: never) => (event as { message: { state: string } }).message.state),
    ).toEqual(['interrupted', 'complete']);
    await Promise.all([back.close(), close()]);
  });
});
