import { expect, it } from '@jest/globals';
import { connectRpc, type HubProcess, type RpcSocket } from '@openclaw/test-support';

const connect = (hub: HubProcess, agentId: string) =>
  connectRpc(`${hub.url}/v1/ws?agent=${agentId}`);

export function describeKilledStreams(
  engine: string,
  hubs: readonly [HubProcess, HubProcess],
): void {
  // The reported failure: when a hub dies, the answer of an agent on it ends in the middle or is written twice.
  it(`on ${engine}, a stream goes on through the other hub after a kill -9, and is whole and once`, async () => {
    const [hubA, hubB] = hubs;
    const channelId = `kill-${engine.toLowerCase()}`;
    await using watcher = await connect(hubB, 'watcher');
    await watcher.call('channel.create', { channelId, name: channelId });
    await watcher.call('subscribe', { topics: [{ channelId }] });
    const author = await connect(hubA, 'author');
    await author.call('channel.join', { channelId });
    const sent = { channelId, content: '', stream: true, clientMessageId: 'answer' };
    const { messageId, seq } = await author.call('message.send', sent);
    const of = { channelId, messageId };
    const text = Array.from({ length: 3_000 }, (_, n) => `${n} `).join('');
    const append = (socket: RpcSocket, from: number, to: number) =>
      socket.call('message.append', { ...of, from, text: text.slice(from, to) });
    // A checkpoint follows at once after 4 KiB, else within a second.
    await append(author, 0, 6_000);
    const isChecked = async () =>
      (await watcher.call('message.get', of)).message.content.length >= 6_000;
    while (!(await isChecked()));
    expect(await append(author, 6_000, 7_000)).toEqual({ length: 7_000 });
    await hubA.kill();

    await using again = await connect(hubB, 'author');
    // The author does not know whether the message was stored, so it sends the message again.
    expect(await again.call('message.send', sent)).toMatchObject({
      messageId,
      seq,
      duplicate: true,
    });
    const refused = await append(again, 7_000, 8_000).then(
      () => null,
      ({ data }) => data as { code: string; length: number },
    );
    // Hub A died before it checkpointed the text beyond 6,000 characters, so that text is lost. The refusal says at
    // which length to continue.
    expect(refused).toMatchObject({ code: 'conflict', state: 'streaming', length: 6_000 });
    expect(await append(again, 6_000, text.length)).toEqual({ length: text.length });
    const end = { ...of, state: 'complete', length: text.length };
    const { seq: endSeq } = await again.call('message.finish', end);
    expect(await again.call('message.finish', end)).toEqual({ seq: endSeq });
    const { event } = await watcher.event((envelope) => envelope.seq === endSeq);
    expect(event.message.content).toBe(text);
    const { events } = await watcher.call('log.read', { channelId, after: 0 });
    const ofMessage = events.filter((one: { event: { message?: object } }) => one.event.message);
    expect(ofMessage.map((one: { event: { type: string } }) => one.event.type)).toEqual([
      'channel.message',
      'channel.message.edit',
    ]);
    await hubA.restart();
    const { message } = await again.call('message.get', of);
    expect(message).toMatchObject({ content: text, state: 'complete', editedAt: null });
    await using late = await connect(hubA, 'author');
    await expect(append(late, text.length, text.length)).rejects.toMatchObject({
      data: { code: 'conflict', state: 'complete', length: text.length },
    });
  });
}
