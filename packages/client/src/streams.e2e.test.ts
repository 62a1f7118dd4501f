import { afterAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { messageDeltaEvent } from '@openclaw/protocol/wire';
import { connectRpc, startHub, waitFor, type RpcSocket } from '@openclaw/test-support';
import { createClient } from './index.ts';

const hub = await startHub();
afterAll(() => hub.stop());

const isDelta = ({ event }: { event: { name?: string } }) => event.name === messageDeltaEvent;

describe('what a watcher receives of a text of 50 tokens a second', () => {
  const seconds = 2;
  const tokens = Array.from({ length: 50 * seconds }, (_, n) =>
    `${String(n % 1_000)} `.padEnd(4, '.'),
  );
  const text = tokens.join('');
  const bytesSince = (socket: RpcSocket, from: number) =>
    socket.received.slice(from).reduce((sum, object) => sum + JSON.stringify(object).length, 0);

  it('is at most 25 bytes a byte as a stream, each token within 250 ms; by edits it is hundreds', async () => {
    const channelId = 'tokens';
    const client = createClient({ url: hub.url, agent: 'author' });
    await client.createChannel({ name: 'Tokens', channelId });
    await using watcher = await connectRpc(`${hub.url}/v1/ws?agent=watcher`);
    await watcher.call('channel.join', { channelId });
    await watcher.call('subscribe', { topics: [{ channelId }] });
    const room = client.channel(channelId);
    const stream = await room.stream();
    let from = watcher.received.length;
    const sentMs: number[] = [];
    const latencies: number[] = [];
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
            latencies.push(performance.now() - (sentMs[seen / 4] ?? 0));
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
    // A busy machine may delay a few deltas.
    latencies.sort((one, other) => one - other);
    expect(latencies[Math.floor(0.95 * latencies.length)]).toBeLessThan(250);
    expect(streamed).toBeLessThanOrEqual(25);

    // Negative control: the same text with one edit for each token.
    const { messageId } = await room.send('.');
    from = watcher.received.length;
    let last: number | null = null;
    for (let end = 4; end <= text.length; end += 4)
      last = (await room.edit(messageId, text.slice(0, end))).seq;
    await watcher.event((envelope) => envelope.seq === last);
    expect(bytesSince(watcher, from) / text.length).toBeGreaterThan(100);
    await client.close();
  });
});

describe('the client', () => {
  const clients = [
    createClient({ url: hub.url, agent: 'sdk-author' }),
    createClient({ url: hub.url, agent: 'sdk-watcher' }),
  ] as const;
  afterAll(() => Promise.all(clients.map((client) => client.close())));

  it('shows a message that grows to a reader who came in the middle', async () => {
    const [author, reader] = clients;
    const { channel } = await author.createChannel({ name: 'Middle' });
    const room = author.channel(channel.channelId);
    const stream = await room.stream({ threadId: null, mentions: ['sdk-watcher'] });
    const words = Array.from({ length: 40 }, (_, n) => `wörd ${n} 👍 `);
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
