import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Envelope } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { createClient } from './client.ts';
import type { HubClient } from './hub-client.ts';
import {
  exampleEnvelope as event,
  startScriptedHub,
  subscribedAt,
  type HubSide,
  type ScriptedHub,
} from './scripted-hub.test.support.ts';

let hub: ScriptedHub;
let client: HubClient;
let side: HubSide;
let events: AsyncIterableIterator<Envelope>;
let heard: number[];

beforeEach(async () => {
  hub = await startScriptedHub();
  client = createClient({ url: hub.url, agent: 'ada', streamMax: 2 });
  heard = [];
  client.on('event', ({ seq }) => heard.push(seq ?? 0));
  events = client.channel('hall').events();
  side = await hub.nextConnection();
  side.welcome();
  const call = await side.nextCall('subscribe');
  side.answer(call, subscribedAt(call, 0));
});
afterEach(async () => {
  await client.close();
  await hub.stop();
});

async function bring(...seqs: (number | null)[]) {
  const before = heard.length;
  for (const seq of seqs) side.notify('event', event('hall', seq));
  await waitFor(() => heard.length === before + seqs.length);
}

async function read(count: number): Promise<unknown[]> {
  const seqs = [];
  for (let i = 0; i < count; i += 1) {
    const { value } = (await events.next()) as IteratorYieldResult<Envelope>;
    seqs.push(value.seq);
  }
  return seqs;
}

async function answerPage(after: number, seqs: readonly number[]) {
  const page = await side.nextCall('log.read');
  expect(page.params).toEqual({ channelId: 'hall', after, limit: 2 });
  const found = seqs.map((seq) => event('hall', seq));
  side.answer(page, { events: found, head: 9, hasMore: false });
}

describe('a reader that is slower than its channel', () => {
  it('gets the events past its buffer from the log, at its own pace, and then live ones', async () => {
    await bring(1, 2, 3, 4, 5, 6);
    expect(await read(2)).toEqual([1, 2]);
    expect(side.calls.map(({ method }) => method)).toEqual(['subscribe']);
    const next = read(2);
    await answerPage(2, [3, 4]);
    expect(await next).toEqual([3, 4]);
    const rest = read(2);
    await answerPage(4, [5, 6]);
    expect(await rest).toEqual([5, 6]);
    const live = read(2);
    await bring(7, 8);
    expect(await live).toEqual([7, 8]);
    expect(side.calls.filter(({ method }) => method === 'log.read')).toHaveLength(2);
    expect(heard).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('continues with the events that arrived while a page was in flight', async () => {
    await bring(1, 2, 3);
    expect(await read(2)).toEqual([1, 2]);
    const next = read(1);
    await waitFor(() => side.calls.some(({ method }) => method === 'log.read'));
    await bring(4, 5, 6);
    await answerPage(2, [3, 4]);
    expect(await next).toEqual([3]);
    expect(await read(2)).toEqual([4, 5]);
    // The sixth event did not fit into the buffer of two, so it is fetched from the log.
    const last = read(1);
    await answerPage(5, [6]);
    expect(await last).toEqual([6]);
  });

  it('misses the typing and presence events of that time', async () => {
    await bring(1, null, null, null);
    expect(await read(2)).toEqual([1, null]);
    const next = read(1);
    await bring(2);
    expect(await next).toEqual([2]);
    expect(side.calls.map(({ method }) => method)).toEqual(['subscribe']);
  });

  it('waits for a hub that cannot answer', async () => {
    await bring(1, 2, 3);
    await read(2);
    const next = read(1);
    const data = { code: 'unavailable', retryAfterMs: 1 };
    side.refuse(await side.nextCall('log.read'), { code: -32_000, message: 'Away', data });
    await answerPage(2, [3]);
    expect(await next).toEqual([3]);
  });

  it('continues after a discontinuity, also with a page in flight', async () => {
    await bring(1, 2, 3);
    await read(2);
    const next = read(1);
    const page = await side.nextCall('log.read');
    side.notify('discontinuity', { channelId: 'hall', head: 1, reason: 'epoch' });
    side.answer(page, { events: [], head: 1, hasMore: false });
    side.notify('event', event('hall', 2, { epoch: 'e2' }));
    expect(await next).toEqual([2]);
  });

  // A restored database may answer before the hub has noticed the restore.
  it('gets no event of another epoch as if it followed', async () => {
    await bring(1, 2, 3);
    await read(2);
    const next = events.next();
    const page = await side.nextCall('log.read');
    const restored = event('hall', 3, { epoch: 'e2' });
    side.answer(page, { events: [restored], head: 3, hasMore: false });
    side.notify('discontinuity', { channelId: 'hall', head: 3, reason: 'epoch' });
    side.notify('event', event('hall', 4, { epoch: 'e2' }));
    expect((await next).value).toMatchObject({ seq: 4, epoch: 'e2' });
  });

  it('rejects with `overflow` when the channel ended before it got everything', async () => {
    await bring(1, 2, 3);
    side.notify('event', event('hall', 4, { type: 'channel.delete' }));
    await waitFor(() => heard.length === 4);
    expect(await read(2)).toEqual([1, 2]);
    await expect(events.next()).rejects.toMatchObject({ code: 'overflow' });
    expect(await events.next()).toMatchObject({ done: true });
  });

  it('rejects when a page is refused', async () => {
    await bring(1, 2, 3);
    await read(2);
    const next = events.next();
    const data = { code: 'forbidden' };
    side.refuse(await side.nextCall('log.read'), { code: -32_000, message: 'No', data });
    await expect(next).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('ends with an error when the page from the log is malformed', async () => {
    await bring(1, 2, 3);
    expect(await read(2)).toEqual([1, 2]);
    const third = events.next();
    side.answer(await side.nextCall('log.read'), {});
    await expect(third).rejects.toThrow(TypeError);
  });
});
