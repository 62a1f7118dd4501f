import { describe, expect, it } from '@jest/globals';
import type {
  EnvelopeOf,
  EventOf,
  HubClient,
  HubDirect,
  Message,
  Presence,
  ResultOf,
} from './index.ts';

// The compiler checks these assertions.

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const exactly =
  <Wanted>() =>
  <Given>(_value: Given, ..._differs: Same<Given, Wanted> extends true ? [] : [never]) => {};

export function listeners(hub: HubClient) {
  hub.on('channel.message', (event, envelope) => {
    exactly<EventOf<'channel.message'>>()(event);
    exactly<Message>()(event.message);
    exactly<EnvelopeOf<'channel.message'>>()(envelope);
    exactly<typeof event>()(envelope.event);
    exactly<number | null>()(envelope.seq);
    // @ts-expect-error -- a message event has no presences
    void event.presences;
  });
  hub.channel('hall').on('channel.presence', ({ presences }) => {
    exactly<Presence[]>()(presences);
  });
  hub.on('global', ({ event }) => exactly<string>()(event.name));
  hub.on('discontinuity', ({ head }) => exactly<number>()(head));
  const off = hub.on('event', ({ event }) => {
    if (event.type === 'channel.typing') exactly<boolean>()(event.typing);
    // @ts-expect-error -- not every event has a message
    void event.message;
  });
  exactly<() => void>()(off);
  // @ts-expect-error -- no such event
  hub.on('channel.mesage', () => {});
  // @ts-expect-error -- `state` is an event of the client, not of a channel
  hub.channel('hall').on('state', () => {});
  // @ts-expect-error -- the listener wants another type's event
  hub.on('channel.message', (event: EventOf<'channel.typing'>) => void event);
}

export async function calls(hub: HubClient, direct: HubDirect) {
  const room = hub.channel('hall');
  const { signal } = new AbortController();
  exactly<ResultOf<'message.send'>>()(await room.send('x'));
  const { messages } = await room.history({ before: 7, limit: 10 }, { signal, timeoutMs: 500 });
  exactly<Message[]>()(messages);
  await room.reply(messages[0] as Message, 'Yes', { mentions: ['bob'] });
  await room.updateMember('bob', { role: 'owner' }, { signal });
  const sent = await direct.send('psst');
  exactly<string>()(sent.channelId);
  const { channels } = await hub.readState({ signal });
  exactly<number[]>()(channels.map(({ unread }) => unread));
  // @ts-expect-error -- the content is required
  await room.send();
  // @ts-expect-error -- the channel sets its own id
  await room.send('x', { channelId: 'attic' });
  // @ts-expect-error -- no such role
  await room.addMember('bob', { role: 'king' });
  // @ts-expect-error -- an agent cannot say that it is offline
  await hub.setPresence({ status: 'offline' });
  // @ts-expect-error -- no such method
  await hub.call('message.sned', {});
  // @ts-expect-error -- the params are those of the method
  await hub.call('message.send', { channelId: 'hall' });
  // @ts-expect-error -- direct messages mention nobody
  await direct.send('psst', { mentions: ['bob'] });
}

export async function streams(hub: HubClient, direct: HubDirect) {
  for await (const { event } of hub.channel('hall').events({ since: 0 })) {
    if (event.type === 'collaboration.event') exactly<string>()(event.name);
  }
  for await (const { channelId } of direct.events()) exactly<string | null>()(channelId);
  // @ts-expect-error -- direct channels are subscribed from the welcome on
  direct.events({ since: 0 });
}

describe('the types', () => {
  it('are compiled', () => {
    expect([listeners, calls, streams].every((check) => typeof check === 'function')).toBe(true);
  });
});
