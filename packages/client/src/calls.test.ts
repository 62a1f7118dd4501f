import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createClient } from './client.ts';
import type { HubClient } from './hub-client.ts';
import type { ClientOptions } from './options.ts';
import {
  exampleWelcome,
  startScriptedHub,
  type HubSide,
  type ScriptedHub,
} from './scripted-hub.test.support.ts';

let hub: ScriptedHub;
let client: HubClient;
beforeEach(async () => {
  hub = await startScriptedHub();
});
afterEach(async () => {
  await client.close();
  await hub.stop();
});

function start(options: Partial<ClientOptions> = {}) {
  client = createClient({
    url: hub.url,
    agent: 'ada',
    backoffMinMs: 1,
    backoffMaxMs: 1,
    ...options,
  });
}

async function nextLive(limits: Partial<typeof exampleWelcome.limits> = {}): Promise<HubSide> {
  const side = await hub.nextConnection();
  side.welcome({ limits: { ...exampleWelcome.limits, ...limits } });
  await client.ready();
  return side;
}

const sent = { messageId: 'm1', seq: 1, timestamp: 5, duplicate: false };

describe('a call', () => {
  it('resolves with its own result, whatever the order of the answers and the shape of their frame', async () => {
    start();
    const side = await nextLive();
    const first = client.call('channel.get', { channelId: 'a' });
    const second = client.call('channel.get', { channelId: 'b' });
    const [one, two] = [await side.nextCall('channel.get'), await side.nextCall('channel.get')];
    side.send([
      { jsonrpc: '2.0', id: two.id, result: { channel: { channelId: 'b' } } },
      { jsonrpc: '2.0', id: one.id, result: { channel: { channelId: 'a' } } },
    ]);
    expect(await first).toEqual({ channel: { channelId: 'a' } });
    expect(await second).toEqual({ channel: { channelId: 'b' } });
  });

  it('shares a frame with other calls in the same turn, up to the hub’s limits', async () => {
    start();
    const side = await nextLive({ batch: 2 });
    const calls = ['a', 'b', 'c'].map((channelId) => client.call('channel.get', { channelId }));
    for (const _ of calls) side.answer(await side.nextCall('channel.get'), {});
    await Promise.all(calls);
    expect(side.frames).toBe(2);
  });

  it('rejects with the hub’s refusal', async () => {
    start();
    const side = await nextLive();
    const limited = client.channel('hall').send('hi');
    side.refuse(await side.nextCall('message.send'), {
      code: -32_000,
      message: 'Slow down',
      data: { code: 'rate_limited', retryAfterMs: 250 },
    });
    await expect(limited).rejects.toMatchObject({
      name: 'HubError',
      code: 'rate_limited',
      retryAfterMs: 250,
      message: 'Slow down',
    });
    const malformed = client.channel('a b').join();
    const issues = [{ path: ['channelId'], message: 'not an id' }];
    side.refuse(await side.nextCall('channel.join'), {
      code: -32_602,
      message: 'Invalid params',
      data: issues,
    });
    await expect(malformed).rejects.toMatchObject({ code: 'invalid', data: issues });
  });

  it('to send gets a clientMessageId, and keeps it when it is repeated after a lost connection', async () => {
    start();
    const first = await nextLive();
    const result = client.channel('hall').send('once');
    const lost = await first.nextCall('message.send');
    expect(lost.params['clientMessageId']).toMatch(/^[0-9a-f]{12}-[0-9a-f]{32}$/);
    first.terminate();
    const second = await nextLive();
    const repeated = await second.nextCall('message.send');
    expect(repeated.params).toEqual(lost.params);
    second.answer(repeated, { ...sent, duplicate: true });
    expect(await result).toEqual({ ...sent, duplicate: true });
  });

  it('to send keeps the caller’s clientMessageId', async () => {
    start();
    const side = await nextLive();
    void client
      .channel('hall')
      .send('x', { clientMessageId: 'mine' })
      .catch(() => {});
    expect((await side.nextCall('message.send')).params['clientMessageId']).toBe('mine');
  });

  it('waits while there is no connection, and keeps its place in the order', async () => {
    start();
    const contents = ['1', '2', '3'];
    const results = contents.map((content) => client.channel('hall').send(content));
    const first = await nextLive({ inFlight: 2 });
    await first.nextCall('message.send');
    await first.nextCall('message.send');
    first.terminate();
    const second = await nextLive();
    for (const content of contents) {
      const call = await second.nextCall('message.send');
      expect(call.params['content']).toBe(content);
      second.answer(call, sent);
    }
    await Promise.all(results);
  });

  it('waits when the hub’s limit of unanswered calls is reached', async () => {
    start();
    const side = await nextLive({ inFlight: 1 });
    const results = ['1', '2'].map((content) => client.channel('hall').send(content));
    const first = await side.nextCall('message.send');
    const probe = client.call('typing.start', { channelId: 'hall' }).catch(() => {});
    expect(side.calls).toHaveLength(1);
    side.answer(first, sent);
    side.answer(await side.nextCall('message.send'), sent);
    side.answer(await side.nextCall('typing.start'), {});
    await Promise.all([...results, probe]);
  });

  it('that could take effect twice is not repeated after a lost connection', async () => {
    start();
    const side = await nextLive();
    const create = client.call('channel.create', { name: 'Hall' });
    const global = client.call('collaboration.emit', {
      channelId: null,
      name: 'deploy',
      payload: {},
    });
    await side.nextCall('channel.create');
    await side.nextCall('collaboration.emit');
    side.terminate();
    await expect(create).rejects.toMatchObject({ code: 'disconnected' });
    await expect(global).rejects.toMatchObject({ code: 'disconnected' });
  });

  it('that is ephemeral does not wait for a connection', async () => {
    start();
    await expect(client.channel('hall').startTyping()).rejects.toMatchObject({
      code: 'disconnected',
    });
  });

  it('is refused when too many calls are already waiting', async () => {
    start({ queueMax: 2 });
    const waiting = [1, 2].map(() => client.channel('hall').send('x'));
    await expect(client.channel('hall').send('x')).rejects.toMatchObject({ code: 'queue_full' });
    const side = await nextLive();
    for (const _ of waiting) side.answer(await side.nextCall('message.send'), sent);
    await Promise.all(waiting);
  });

  it('that waits for an event at the hub has so much more time', async () => {
    start({ callTimeoutMs: 30 });
    const side = await nextLive();
    const room = client.channel('a');
    const waiting = room.log({ after: 1, waitMs: 400 });
    const call = await side.nextCall('log.read');
    await expect(room.log({ after: 1 })).rejects.toMatchObject({ code: 'timeout' });
    const page = { events: [], head: 1, floor: 1, hasMore: false };
    side.answer(call, page);
    expect(await waiting).toEqual(page);
    const late = room.log({ after: 1, waitMs: 20 });
    await expect(late).rejects.toMatchObject({ code: 'timeout', message: /within 50 ms/ });
  });

  it('ends at its timeout, also offline, and makes room for others', async () => {
    start({ queueMax: 1 });
    const late = client.call('read.state', {}, { timeoutMs: 5 });
    await expect(late).rejects.toMatchObject({ code: 'timeout' });
    const side = await nextLive();
    const unanswered = client.call('read.state', {}, { timeoutMs: 5 });
    const call = await side.nextCall('read.state');
    await expect(unanswered).rejects.toMatchObject({ code: 'timeout' });
    side.answer(call, { channels: [] });
    const next = client.call('read.state', {});
    side.answer(await side.nextCall('read.state'), { channels: ['next'] });
    expect(await next).toEqual({ channels: ['next'] });
  });

  it('ends with its signal’s reason', async () => {
    start();
    const controller = new AbortController();
    const call = client.call('read.state', {}, { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    await expect(client.call('read.state', {}, { signal: controller.signal })).rejects.toBe(reason);
  });

  it('over the hub’s frame limit is refused by the client, and the connection stays', async () => {
    start();
    const side = await nextLive({ frameBytes: 1000 });
    const tooLarge = client.channel('hall').send('é'.repeat(600));
    await expect(tooLarge).rejects.toMatchObject({ code: 'too_large' });
    const fits = client.channel('hall').send('e'.repeat(600));
    side.answer(await side.nextCall('message.send'), sent);
    expect(await fits).toEqual(sent);
  });

  it('to subscribe is refused, because channels do it', async () => {
    start();
    await expect(client.call('subscribe', { topics: [] })).rejects.toMatchObject({
      code: 'invalid',
    });
  });

  it('to set presence is repeated on each new connection', async () => {
    start();
    const first = await nextLive();
    const set = client.call('presence.set', { status: 'dnd' });
    first.answer(await first.nextCall('presence.set'), {});
    await set;
    first.terminate();
    const second = await nextLive();
    expect((await second.nextCall('presence.set')).params['status']).toBe('dnd');
  });
});
