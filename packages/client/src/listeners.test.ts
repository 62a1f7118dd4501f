import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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
let heard: unknown[];

beforeEach(async () => {
  hub = await startScriptedHub();
  client = createClient({ url: hub.url, agent: 'ada' });
  heard = [];
  const both = ['hall', 'attic'].map((id) => client.channel(id).subscribe());
  side = await hub.nextConnection();
  side.welcome();
  const call = await side.nextCall('subscribe');
  side.answer(call, subscribedAt(call, 0));
  await Promise.all(both);
});
afterEach(async () => {
  await client.close();
  await hub.stop();
});

const edit = (channelId: string, seq: number) =>
  event(channelId, seq, { type: 'channel.message.edit' });

/** Sends the envelopes, then a last event, and waits until that event has been handled. */
async function bring(...envelopes: readonly ReturnType<typeof event>[]) {
  let isOver = false;
  const off = client.on('global', () => (isOver = true));
  for (const envelope of envelopes) side.notify('event', envelope);
  side.notify('event', event(null, null, { type: 'collaboration.event' }));
  await waitFor(() => isOver);
  off();
}

describe('listeners', () => {
  it('of one type receive its events of all channels, with the envelope', async () => {
    client.on('channel.message.edit', ({ type, channelId }, { seq }) =>
      heard.push([type, channelId, seq]),
    );
    await bring(event('hall', 1), edit('hall', 2), edit('attic', 1));
    expect(heard).toEqual([
      ['channel.message.edit', 'hall', 2],
      ['channel.message.edit', 'attic', 1],
    ]);
  });

  it('of a channel receive only its events, all or those of one type', async () => {
    const hall = client.channel('hall');
    hall.on('event', ({ seq }) => heard.push(['any', seq]));
    hall.on('channel.message.edit', (_event, { seq }) => heard.push(['edit', seq]));
    await bring(edit('attic', 1), event('hall', 1), edit('hall', 2));
    expect(heard).toEqual([
      ['any', 1],
      ['any', 2],
      ['edit', 2],
    ]);
  });

  it('of direct channels and of the whole hub receive only their events', async () => {
    client.on('direct', ({ channelId }) => heard.push(channelId));
    client.on('global', ({ event: { type } }) => heard.push(type));
    await bring(event('dm_1', 1), event('hall', 1));
    expect(heard).toEqual(['dm_1', 'collaboration.event']);
  });

  it('of a channel receive its discontinuities', async () => {
    client.channel('attic').on('discontinuity', ({ reason }) => heard.push(reason));
    side.notify('discontinuity', { channelId: 'hall', head: 3, reason: 'epoch' });
    side.notify('discontinuity', { channelId: 'attic', head: 3, reason: 'epoch' });
    await bring();
    expect(heard).toEqual(['epoch']);
  });

  it('receive nothing after their removal, while others of the same kind continue', async () => {
    const hall = client.channel('hall');
    const off = hall.on('channel.message', (_event, { seq }) => heard.push(['first', seq]));
    hall.on('channel.message', (_event, { seq }) => heard.push(['second', seq]));
    await bring(event('hall', 1));
    off();
    off();
    await bring(event('hall', 2));
    expect(heard).toEqual([
      ['first', 1],
      ['second', 1],
      ['second', 2],
    ]);
  });

  it('of one event of the hub receive its payload, in a channel or in all', async () => {
    const expired = (channelId: string, seq: number, name: string) =>
      event(channelId, seq, {
        type: 'collaboration.event',
        event: { name, payload: { askId: `m${seq}`, silent: ['ben'] } },
      });
    client.on('ask.expired', ({ askId, silent }) => heard.push([askId, silent]));
    client.channel('attic').on('ask.expired', (_payload, { seq }) => heard.push(['attic', seq]));
    await bring(
      ...[expired('hall', 1, 'ask.expired'), expired('hall', 2, 'another')],
      expired('attic', 1, 'ask.expired'),
    );
    expect(heard).toEqual([
      ['m1', ['ben']],
      ['m1', ['ben']],
      ['attic', 1],
    ]);
  });

  it('receive notices until they are removed', async () => {
    const off = client.on('notice', ({ id }) => heard.push(id));
    side.notify('notice', event('elsewhere', 5));
    await waitFor(() => heard.length === 1);
    off();
    side.notify('notice', event('elsewhere', 6));
    await bring();
    expect(heard).toEqual(['elsewhere-5-e1']);
  });

  it('with a misspelt name are refused', () => {
    const on = (name: string) => client.on(name as 'event', () => {});
    expect(() => on('channel.mesage')).toThrow('channel.mesage');
    expect(() => on('toString')).toThrow('toString');
  });
});
