import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  startHub,
  startTcpProxy,
  waitFor,
  type HubProcess,
  type TcpProxy,
} from '@openclaw/test-support';
import { createClient, type HubClient } from './index.ts';

let hub: HubProcess;
let link: TcpProxy;
let ada: HubClient;
beforeAll(async () => {
  hub = await startHub();
  link = await startTcpProxy(hub.port);
  ada = createClient({ url: hub.url, agent: 'ada' });
  await ada.createChannel({ channelId: 'work', name: 'Work' });
  await ada.channel('work').addMember('bob');
}, 60_000);
afterAll(async () => {
  await ada.close();
  await link.stop();
  await hub.stop();
});

const ask = (content: string) => ada.channel('work').send(content, { mentions: ['bob'] });
const connect = () => createClient({ url: `ws://127.0.0.1:${link.port}`, agent: 'bob' });

describe('client.inbox()', () => {
  it('brings each item once over lost connections, and again only what was not acknowledged', async () => {
    const bob = connect();
    const inbox = bob.inbox();
    const next = async () => (await inbox.next()).value?.message?.content as string;
    await ask('one');
    expect(await next()).toBe('one');
    await inbox.ack();
    await ask('two');
    expect(await next()).toBe('two');
    const third = next();
    link.cut();
    await ask('three');
    expect(await third).toBe('three');
    const fourth = next();
    await hub.kill();
    await hub.restart();
    await ask('four');
    expect(await fourth).toBe('four');
    await bob.close();
    await expect(inbox.next()).rejects.toMatchObject({ code: 'closed' });

    const again = connect();
    const texts: string[] = [];
    const rest = again.inbox();
    for await (const { message } of rest) if (texts.push(message?.content ?? '') === 3) break;
    expect(texts).toEqual(['two', 'three', 'four']);
    await rest.ack();
    expect((await again.call('inbox.read', {})).items).toEqual([]);
    await again.close();
  });

  it('ends with its loop or its signal while it waits', async () => {
    const bob = connect();
    const abort = new AbortController();
    const inbox = bob.inbox({ signal: abort.signal });
    const waiting = inbox.next();
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    const other = bob.inbox();
    const ended = other.next();
    await bob.ready();
    expect(await other.return?.()).toMatchObject({ done: true });
    expect(await ended).toEqual({ done: true, value: undefined });
    expect(() => bob.inbox({ signal: abort.signal })).toThrow('enough');
    await bob.close();
  });

  it('goes on when the hub refuses a read for a while', async () => {
    const bob = connect();
    // An agent may have only four waiting reads at a hub.
    const inboxes = Array.from({ length: 5 }, () => bob.inbox());
    const first = inboxes.map((inbox) => inbox.next());
    await waitFor(async () => {
      const metrics = await (await fetch(`${hub.httpUrl}/metrics`)).text();
      return metrics.includes('hub_waiting_inbox_reads 4');
    });
    await ask('for all');
    const items = await Promise.all(first);
    expect(items.map(({ value }) => value?.message?.content)).toEqual(Array(5).fill('for all'));
    await bob.close();
  });
});
