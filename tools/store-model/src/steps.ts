import fc from 'fast-check';
import { directChannelId } from '@openclaw/chat-store';
import { callOf, type Call } from './call.ts';

const agents = ['ana', 'ben', 'cem', 'admin'] as const;
const small = fc.nat({ max: 5 });
const place = fc.nat({ max: 9 });

const outline = fc.record({
  what: fc.oneof(
    { weight: 10, arbitrary: fc.constant('send' as const) },
    { weight: 3, arbitrary: fc.constant('reply' as const) },
    { weight: 3, arbitrary: fc.constantFrom('edit' as const, 'delete' as const) },
    { weight: 3, arbitrary: fc.constantFrom('react' as const, 'unreact' as const) },
    { weight: 2, arbitrary: fc.constantFrom('thread' as const, 'retitle' as const) },
    { weight: 2, arbitrary: fc.constantFrom('emit' as const, 'mark' as const) },
    { weight: 3, arbitrary: fc.constantFrom('join' as const, 'leave' as const, 'add' as const) },
    { weight: 2, arbitrary: fc.constantFrom('remove' as const, 'role' as const, 'name' as const) },
    { weight: 1, arbitrary: fc.constantFrom('create' as const, 'update' as const) },
    { weight: 3, arbitrary: fc.constant('direct' as const) },
  ),
  agent: fc.constantFrom(...agents),
  other: fc.constantFrom(...agents),
  channel: fc.nat({ max: 1 }),
  place,
  text: small,
  /** There are few ids, so that an id repeats, with the same content or with other content. */
  clientMessageId: fc.option(small, { nil: null }),
});
/** These calls are rare, because most other calls fail in an archived or a deleted channel. */
const ending = fc.record({
  what: fc.constantFrom('archive', 'unarchive', 'destroy'),
  agent: fc.constantFrom(...agents),
  channel: fc.nat({ max: 1 }),
});

export type Outline = typeof outline | typeof ending extends fc.Arbitrary<infer O> ? O : never;

/** A step makes calls on one of two hubs without waiting for them, or waits for all calls, or kills a hub. */
export const steps = fc.array(
  fc.oneof(
    {
      weight: 28,
      arbitrary: fc.record({
        kind: fc.constant('calls' as const),
        hub: fc.nat({ max: 1 }),
        calls: fc.array(outline, { minLength: 1, maxLength: 6 }),
      }),
    },
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('settle' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('kill' as const),
        hub: fc.nat({ max: 1 }),
        /** Turns of the event loop before the kill, in which commits continue. */
        turns: fc.nat({ max: 40 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('calls' as const),
        hub: fc.nat({ max: 1 }),
        calls: fc.array(ending, { minLength: 1, maxLength: 1 }),
      }),
    },
  ),
  { minLength: 10, maxLength: 30 },
);

export type Step = typeof steps extends fc.Arbitrary<(infer S)[]> ? S : never;

/**
 * Each hub is killed right after calls were sent to it. Random steps may kill no hub, or only hubs without calls in
 * flight.
 */
export const killsInFlight: Step[] = [0, 1].flatMap((hub): Step[] => [
  { kind: 'calls', hub, calls: agents.map((agent) => sendBy(agent)) },
  { kind: 'kill', hub, turns: 0 },
  { kind: 'calls', hub, calls: [sendBy('ana')] },
  { kind: 'settle' },
]);

function sendBy(agent: (typeof agents)[number]) {
  return {
    what: 'send' as const,
    agent,
    other: 'ben' as const,
    channel: 0,
    place: 0,
    text: 1,
    clientMessageId: null,
  };
}

export interface Names {
  agent(name: string): string;
  readonly channels: readonly [string, string];
}

export function channelIdsOf(names: Names): string[] {
  const ids = agents.map((name) => names.agent(name));
  const directs = ids.flatMap((one, index) =>
    ids.slice(index + 1).map((other) => directChannelId(one, other)),
  );
  return [...names.channels, ...directs];
}

export const agentIdsOf = (names: Names): string[] => agents.map((name) => names.agent(name));

const endings = {
  archive: 'channel.archive',
  unarchive: 'channel.unarchive',
  destroy: 'channel.delete',
} as const;

/** `known` has the received messages of each channel. */
export function callFor(
  outlined: Outline,
  names: Names,
  known: (channelId: string) => readonly string[],
): Call {
  const actor = names.agent(outlined.agent);
  const channelId = names.channels[outlined.channel] ?? names.channels[0];
  if (!('text' in outlined)) {
    return callOf(actor, endings[outlined.what], { channelId });
  }
  const agentId = names.agent(outlined.other);
  const content = `text ${outlined.text}`;
  const title = content;
  const mentions = outlined.text === 0 ? [agentId] : [];
  const clientMessageId =
    outlined.clientMessageId === null ? null : `client ${outlined.clientMessageId}`;
  const isDirect = outlined.place === 9 && actor !== agentId;
  const at = isDirect ? directChannelId(actor, agentId) : channelId;
  const ids = known(at);
  const messageId = ids[outlined.place % Math.max(ids.length, 1)] ?? 'no-such-message';
  const emoji = outlined.text % 2 === 0 ? '👍' : '🎉';
  switch (outlined.what) {
    case 'send':
      return callOf(actor, 'message.send', { channelId: at, content, clientMessageId, mentions });
    case 'reply':
      return callOf(actor, 'message.send', {
        channelId: at,
        content,
        clientMessageId,
        threadId: messageId,
      });
    case 'direct':
      return callOf(actor, 'direct.send', { agentId, content, clientMessageId });
    case 'edit':
      return callOf(actor, 'message.edit', { channelId: at, messageId, content });
    case 'delete':
      return callOf(actor, 'message.delete', { channelId: at, messageId });
    case 'react':
      return callOf(actor, 'reaction.add', { channelId: at, messageId, emoji });
    case 'unreact':
      return callOf(actor, 'reaction.remove', { channelId: at, messageId, emoji });
    case 'thread':
      return callOf(actor, 'thread.create', { channelId: at, messageId, title, clientMessageId });
    case 'retitle':
      return callOf(actor, 'thread.update', { channelId: at, threadId: messageId, title });
    case 'emit':
      return callOf(actor, 'collaboration.emit', {
        ...{ channelId: at, name: 'step', payload: { n: outlined.text }, clientMessageId },
      });
    case 'mark':
      return callOf(actor, 'read.mark', { channelId: at, seq: outlined.place * 3 });
    case 'join':
      return callOf(actor, 'channel.join', { channelId: at });
    case 'leave':
      return callOf(actor, 'channel.leave', { channelId: at });
    case 'add': {
      const role = outlined.text % 2 === 0 ? 'member' : 'owner';
      return callOf(actor, 'member.add', { channelId: at, agentId, role });
    }
    case 'remove':
      return callOf(actor, 'member.remove', { channelId: at, agentId });
    case 'role': {
      const role = outlined.text % 2 === 0 ? 'member' : 'owner';
      return callOf(actor, 'member.update', { channelId: at, agentId, role });
    }
    case 'name':
      return callOf(actor, 'member.update', { channelId: at, agentId, displayName: content });
    case 'create':
      return callOf(actor, 'channel.create', { channelId, name: content });
    case 'update':
      return callOf(actor, 'channel.update', { channelId: at, name: content, topic: title });
  }
}
