import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createClient } from './client.ts';
import { directChannelId } from './direct.ts';
import type { HubClient } from './hub-client.ts';
import {
  exampleEnvelope as event,
  exampleWelcome,
  startScriptedHub,
  type HubSide,
  type ScriptedHub,
} from './scripted-hub.test.support.ts';

let hub: ScriptedHub;
let client: HubClient;
beforeEach(async () => {
  hub = await startScriptedHub();
  client = createClient({ url: hub.url, agent: 'ada', streamMax: 1 });
});
afterEach(async () => {
  await client.close();
  await hub.stop();
});

const withBob = directChannelId('ada', 'bob');

async function nextLive(): Promise<HubSide> {
  const side = await hub.nextConnection();
  side.welcome();
  await client.ready();
  return side;
}

describe('direct messages', () => {
  it('use a channel whose id both agents compute alike', () => {
    const digest = createHash('sha256').update('ada\nbob').digest('hex');
    expect(directChannelId('bob', 'ada')).toBe(`dm_${digest.slice(0, 32)}`);
    expect(withBob).toBe(directChannelId('bob', 'ada'));
  });

  it('are sent to an agent, and paged in the channel once the own id is known', async () => {
    const bob = client.direct('bob');
    const channel = bob.channel();
    const side = await nextLive();
    expect((await channel).id).toBe(withBob);
    const sent = bob.send('psst', { metadata: { mood: 'low' } });
    const call = await side.nextCall('direct.send');
    expect(call.params).toMatchObject({ agentId: 'bob', content: 'psst' });
    const result = { channelId: withBob, messageId: 'm', seq: 1, timestamp: 1, duplicate: false };
    side.answer(call, result);
    expect(await sent).toEqual(result);
    const history = bob.history({ limit: 5 });
    const page = await side.nextCall('message.history');
    expect(page.params).toEqual({ channelId: withBob, limit: 5 });
    side.answer(page, { messages: ['m'], head: 1, hasMore: false });
    expect(await history).toMatchObject({ messages: ['m'] });
  });

  it('have an empty history before the first', async () => {
    const side = await nextLive();
    const history = client.direct('bob').history();
    side.refuse(await side.nextCall('message.history'), {
      code: -32_000,
      message: 'No such channel',
      data: { code: 'not_found' },
    });
    expect(await history).toEqual({ messages: [], head: 0, hasMore: false });
  });

  it('are streamed separately from those with other agents, from the first welcome on', async () => {
    const heard: unknown[] = [];
    const bob = client.direct('bob');
    bob.on('channel.message', (_event, { seq }) => heard.push(seq));
    const events = bob.events();
    const side = await hub.nextConnection();
    // The welcome and the events come in one frame, so that no promise is resolved between the events.
    const first = [
      { method: 'welcome', params: exampleWelcome },
      { method: 'event', params: event(directChannelId('ada', 'eve'), 1) },
      { method: 'event', params: event(withBob, 1) },
    ];
    side.send(first.map((message) => ({ jsonrpc: '2.0', ...message })));
    expect((await events.next()).value).toMatchObject({ channelId: withBob, seq: 1 });
    expect(heard).toEqual([1]);
    // Only one event may wait for the reader, so the next one is read from the log.
    side.notify('event', event(withBob, 2));
    side.notify('event', event(withBob, 3));
    await new Promise<void>((resolve) => {
      const off = bob.on('event', ({ seq }) => {
        if (seq !== 3) return;
        off();
        resolve();
      });
    });
    expect((await events.next()).value).toMatchObject({ seq: 2 });
    const third = events.next();
    const page = await side.nextCall('log.read');
    expect(page.params).toEqual({ channelId: withBob, after: 2, limit: 1 });
    side.answer(page, { events: [event(withBob, 3)], head: 3, hasMore: false });
    expect((await third).value).toMatchObject({ seq: 3 });
    const end = expect(events.next()).rejects.toMatchObject({ code: 'closed' });
    await client.close();
    await end;
  });

  it('wait for an absent hub only until the timeout or abort', async () => {
    const channel = client.direct('bob').channel({ timeoutMs: 5 });
    await expect(channel).rejects.toMatchObject({ code: 'timeout' });
    const reason = new Error('enough');
    const history = client.direct('bob').history({}, { signal: AbortSignal.abort(reason) });
    await expect(history).rejects.toBe(reason);
  });
});
