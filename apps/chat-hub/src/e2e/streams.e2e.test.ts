import { afterAll, describe, expect, it } from '@jest/globals';
import { createClient } from '@openclaw/client';
import { limits, messageDeltaEvent } from '@openclaw/protocol';
import { waitFor, type RpcSocket } from '@openclaw/test-support';
import { setTimeout as delay } from 'node:timers/promises';
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

/** A channel with its author on hub A and a watcher on hub B. */
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

describe('what a watcher receives of a text of 50 tokens a second', () => {
  const seconds = 2;
  const tokens = Array.from({ length: 50 * seconds }, (_, n) =>
    `${String(n % 1_000)} `.padEnd(4, '.'),
  );
  const text = tokens.join('');
  const bytesSince = (socket: RpcSocket, from: number) =>
    socket.received.slice(from).reduce((sum, object) => sum + JSON.stringify(object).length, 0);

  it('is at most 25 bytes a byte as a stream, each token within 250 ms; by edits it is hundreds', async () => {
    const { channelId, author, watcher, close } = await channel('tokens');
    const client = createClient({ url: hubA.url, agent: author.welcome.agentId });
    const room = client.channel(channelId);
    const stream = await room.stream();
    let from = watcher.received.length;
    const sentMs: number[] = [];
    let worstMs = 0;
    let seen = 0;
    const isOver = new AbortController();
    const watching = (async () => {
      let at = 0;
      while (!isOver.signal.aborted) {
        for (; at < watcher.events.length; at += 1) {
          const { event } = watcher.events[at];
          if (!isDelta({ event })) continue;
          const { from: start, text: more } = event.payload;
          for (const end = start + more.length; seen < end; seen += 4)
            worstMs = Math.max(worstMs, performance.now() - (sentMs[seen / 4] ?? 0));
        }
        await delay(5);
      }
    })();
    for (const token of tokens) {
      sentMs.push(performance.now());
      stream.append(token);
      await delay(20);
    }
    await waitFor(() => seen === text.length, { what: 'the whole text' });
    const { seq } = await stream.finish();
    isOver.abort();
    await watching;
    const streamed = bytesSince(watcher, from) / text.length;
    expect((await watcher.event((envelope) => envelope.seq === seq)).event.message).toMatchObject({
      ...{ content: text, state: 'complete', editedAt: null },
    });
    expect(worstMs).toBeLessThan(250);
    expect(streamed).toBeLessThanOrEqual(25);
    await client.close();

    // Negative control: the same text by one edit for each token.
    const { messageId } = await author.call('message.send', { channelId, content: '.' });
    from = watcher.received.length;
    let last = null;
    for (let end = 4; end <= text.length; end += 4)
      last = (
        await author.call('message.edit', { channelId, messageId, content: text.slice(0, end) })
      ).seq;
    await watcher.event((envelope) => envelope.seq === last);
    expect(bytesSince(watcher, from) / text.length).toBeGreaterThan(100);
    await close();
  });
});

describe('a message that grows', () => {
  it('is the same for readers of the history, for watchers and in the log', async () => {
    const { channelId, author, watcher, begin, close } = await channel('same');
    const of = await begin();
    const append = (from: number, text: string) =>
      author.call('message.append', { ...of, from, text });
    expect(await append(0, 'Three 👍')).toEqual({ length: 8 });
    // A repeat after a lost answer overlaps.
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
    // A freeze of the agent is found by the sweep.
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
    // A connection through the other hub keeps it.
    const elsewhere = await hubB.connect(author.welcome.agentId);
    await author.close();
    await delay(2 * awayMs);
    expect(watcher.events.filter(isEdit)).toEqual([]);
    await elsewhere.close();
    const { event, senderId, senderKind } = await watcher.event(isEdit);
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
        .filter(isEdit)
        .map(({ event }: never) => (event as { message: { state: string } }).message.state),
    ).toEqual(['interrupted', 'complete']);
    await Promise.all([back.close(), close()]);
  });
});

describe('the client', () => {
  const clients = [
    createClient({ url: hubA.url, agent: 'sdk-author' }),
    createClient({ url: hubB.url, agent: 'sdk-watcher' }),
  ] as const;
  afterAll(() => Promise.all(clients.map((client) => client.close())));

  it('shows a message that grows to a reader who came in the middle', async () => {
    const [author, reader] = clients;
    const { channel } = await author.createChannel({ name: 'Middle' });
    const room = author.channel(channel.channelId);
    const stream = await room.stream({ threadId: null, mentions: ['sdk-watcher'] });
    const words = Array.from({ length: 40 }, (_, n) => `wörd ${n} 👍 `);
    // Half a character waits for its other half.
    const halves = words.flatMap((word) => [word.slice(0, -2), word.slice(-2)]);
    for (const half of halves.slice(0, 40)) stream.append(half);
    await waitFor(async () => (await room.message(stream.messageId)).message.content.length > 50, {
      what: 'a checkpoint',
    });
    const view = reader.channel(channel.channelId);
    await view.join();
    const texts: string[] = [];
    await view.subscribe();
    const { messages } = await view.history();
    const ended = new Promise<string>((resolve) => {
      view.watchStreams((message) => {
        texts.push(message.content);
        if (message.state !== 'streaming') resolve(message.content);
      }, messages);
    });
    for (const half of halves.slice(40)) {
      stream.append(half);
      await delay(5);
    }
    await stream.finish();
    expect(await ended).toBe(words.join(''));
    expect(texts.length).toBeGreaterThan(2);
    expect(texts.every((text) => words.join('').startsWith(text))).toBe(true);
    await room.setTurn({ state: 'idle' });
    expect((await room.turns()).turns).toEqual([]);
  });
});
