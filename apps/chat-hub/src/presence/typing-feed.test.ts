import { describe, expect, it } from '@jest/globals';
import type { EventOf } from '@openclaw/protocol';
import { createTyping, type SharedTyping } from '@openclaw/typing';
import { pino } from 'pino';
import type { Caller } from '../calls/handler.ts';
import type { Rooms } from '../channels/rooms.ts';
import type { Session } from '../sockets/session.ts';
import { createEphemeralEncoder } from '../channels/ephemeral.ts';
import { createTypingFeed } from './typing-feed.ts';

/** The test decides when a start of typing is answered. */
function createBench() {
  const own = createTyping();
  const started = Promise.withResolvers<void>();
  const letOn = Promise.withResolvers<void>();
  const typing: SharedTyping = {
    ...own,
    async start(...place) {
      const decision = await own.start(...place);
      started.resolve();
      await letOn.promise;
      return decision;
    },
  };
  const published: boolean[] = [];
  const feed = createTypingFeed({
    typing,
    rooms: { get: () => undefined } as unknown as Rooms,
    publisher: {
      publishEphemeral: (event) => published.push((event as EventOf<'channel.typing'>).typing),
    },
    encodeEphemeral: createEphemeralEncoder({ epoch: 'e' }, () => null),
    log: pino({ level: 'silent' }),
  });
  const session = { agentId: 'ana', isOpen: true };
  const caller = { identity: { agentId: 'ana' }, session } as unknown as Caller;
  return {
    ...{ feed, caller, session, published, started: started.promise, letOn: letOn.resolve },
    close: () => {
      session.isOpen = false;
      feed.disconnect(session as unknown as Session);
    },
    typists: async (threadId: string | null = null) => (await feed.list('c', threadId)).agents,
  };
}

const outside = { channelId: 'c', threadId: null };

describe('typing in a channel and in its threads', () => {
  it('ends with a message there, and a disconnect ends all of it', async () => {
    const { feed, caller, letOn, typists, close } = createBench();
    letOn();
    const [t1, t2] = ['t1', 't2'].map((threadId) => ({ channelId: 'c', threadId }));
    for (const place of [outside, t1!, t2!]) await feed.start(caller, place);
    feed.messageSent(caller, t1!);
    expect([await typists('t1'), await typists('t2'), await typists()]).toEqual([
      ...[[], ['ana'], ['ana']],
    ]);
    close();
    expect([await typists('t2'), await typists()]).toEqual([[], []]);
    feed.close();
  });

  // A client may invent any number of thread ids, and typing ends only ten seconds after its start. The number of
  // places therefore needs a limit.
  it('by one socket is in at most 50 places; beyond them the oldest ends', async () => {
    const { feed, caller, published, letOn, typists } = createBench();
    letOn();
    for (let n = 0; n < 50; n += 1) {
      await feed.start(caller, { channelId: 'c', threadId: `t${n}` });
    }
    await feed.start(caller, { channelId: 'c', threadId: 't0' });
    expect(published).not.toContain(false);
    await feed.start(caller, outside);
    expect([await typists('t0'), await typists('t1'), await typists('t2')]).toEqual([
      ...[['ana'], [], ['ana']],
    ]);
    expect(published.filter((isStart) => !isStart)).toHaveLength(1);
    feed.close();
  });
});

describe('typing.start on a socket that closes', () => {
  it('is shown while the socket is open (the control)', async () => {
    const { feed, caller, published, letOn, typists } = createBench();
    letOn();
    await feed.start(caller, outside);
    expect([published, await typists()]).toEqual([[true], ['ana']]);
    feed.close();
  });

  // The race: the socket closes while the hub reads the agent's membership, before the hub sends the start to Redis.
  // Nothing would stop the typing then.
  it('starts nothing once the socket is closed', async () => {
    const { feed, caller, published, letOn, typists, close } = createBench();
    close();
    letOn();
    await feed.start(caller, outside);
    expect([published, await typists()]).toEqual([[], []]);
    feed.close();
  });

  // The race: Redis answers the start after the stop, or never.
  it('is not announced after its stop', async () => {
    const { feed, caller, published, started, letOn, typists, close } = createBench();
    const starting = feed.start(caller, outside);
    await started;
    close();
    letOn();
    await starting;
    expect(published).not.toContain(true);
    expect(await typists()).toEqual([]);
    feed.close();
  });
});
