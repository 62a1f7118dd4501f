import { describe, expect, it } from '@jest/globals';
import { startTcpProxy, waitFor, connectRpc } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { noRedis, startTestHub } from '../testing/test-hub.ts';

const hub = closeAfterAll(
  await startTestHub({
    ...noRedis,
  }),
);
const proxy = closeAfterAll(await startTcpProxy(Number(new URL(hub.url).port)));

async function sendTwice(channelId: string, ids: { clientMessageId?: string }) {
  const params = { channelId, content: 'once?', ...ids };
  const connect = () => connectRpc(`ws://127.0.0.1:${proxy.port}/v1/ws?agent=ana`);
  const observer = await hub.connect('ana');
  await observer.call('channel.create', { channelId, name: channelId });
  const stored = async () =>
    (await observer.call('message.history', { channelId })).messages.length as number;
  const first = await connect();
  proxy.stallReplies();
  const lost = first.call('message.send', params);
  lost.catch(() => undefined);
  await waitFor(async () => (await stored()) === 1, { what: 'the commit' });
  proxy.cut();
  await expect(lost).rejects.toThrow('before the answer');
  proxy.resume();
  const second = await connect();
  const result = await second.call('message.send', params);
  const count = await stored();
  await Promise.all([second.close(), observer.close()]);
  return { result, count };
}

describe('a send whose result was lost with the connection', () => {
  // The race: the message is committed, but its sender never gets the result.
  it('is stored once when it is repeated with its clientMessageId', async () => {
    const { result, count } = await sendTwice('with-id', { clientMessageId: 'mine-1' });
    expect(result).toMatchObject({ seq: 2, duplicate: true });
    expect(count).toBe(1);
  });

  it('is stored twice when it is repeated without one (the control)', async () => {
    const { result, count } = await sendTwice('without-id', {});
    expect(result).toMatchObject({ seq: 3, duplicate: false });
    expect(count).toBe(2);
  });
});
