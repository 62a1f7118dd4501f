import { describe, expect, it } from '@jest/globals';
import type { EventOf } from '@openclaw/protocol';
import { createTyping, type SharedTyping } from '@openclaw/typing';
import { pino } from 'pino';
import type { Caller } from '../calls/handler.ts';
import type { Rooms } from '../channels/rooms.ts';
import type { Session } from '../sockets/session.ts';
import { createEphemeralEncoder } from '../channels/ephemeral.ts';
import { createTypingFeed } from './typing-feed.ts';

/** A feed whose starts are answered when the test decides, and a socket of the agent `ana`. */
function createBench() {
  const own = createTyping();
  const started = Promise.withResolvers<void>();
  const letOn = Promise.withResolvers<void>();
  const typing: SharedTyping = {
    ...own,
    async start(channelId, agentId) {
      const decision = await own.start(channelId, agentId);
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
    typists: async () => (await feed.list('c')).agents,
  };
}

describe('typing.start on a socket that closes', () => {
  it('is shown while the socket is open (the control)', async () => {
    const { feed, caller, published, letOn, typists } = createBench();
    letOn();
    await feed.start(caller, 'c', null);
    expect([published, await typists()]).toEqual([[true], ['ana']]);
    feed.close();
  });

  // The race: the socket closes while its membership is read, before the start is sent, so nothing would stop the
  // typing. Invariant: a disconnect stops typing.
  it('starts nothing once the socket is closed', async () => {
    const { feed, caller, published, letOn, typists, close } = createBench();
    close();
    letOn();
    await feed.start(caller, 'c', null);
    expect([published, await typists()]).toEqual([[], []]);
    feed.close();
  });

  // The race: Redis answers the start after the stop, or never. Invariant: the start is not announced last.
  it('is not announced after its stop', async () => {
    const { feed, caller, published, started, letOn, typists, close } = createBench();
    const starting = feed.start(caller, 'c', null);
    await started;
    close();
    letOn();
    await starting;
    expect(published).not.toContain(true);
    expect(await typists()).toEqual([]);
    feed.close();
  });
});
