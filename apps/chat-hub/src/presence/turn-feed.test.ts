import { describe, expect, it } from '@jest/globals';
import type { EventOf, TurnStatePayload } from '@openclaw/protocol';
import { createTurnStates } from '@openclaw/typing';
import { pino } from 'pino';
import { createEphemeralEncoder } from '../channels/ephemeral.ts';
import { createTurnFeed } from './turn-feed.ts';

/** The agent is connected to this hub, and `during` runs while a turn is written. */
function createBench() {
  const turns = createTurnStates();
  const published: string[] = [];
  const bench = {
    published,
    isHere: true,
    isElsewhere: false,
    lookUps: 0,
    during: () => {},
    set: (more: { channelId?: string; threadId?: string; state?: 'thinking' | 'idle' } = {}) =>
      feed.set(
        'bot',
        {
          ...{ channelId: 'c', threadId: null, label: null, queueDepth: null },
          state: 'thinking',
          ...more,
        },
        true,
      ),
    listed: async (channelId = 'c') => (await feed.list(channelId)).turns.length,
  };
  const feed = createTurnFeed({
    turns: {
      ...turns,
      async set(...turn) {
        const answer = await turns.set(...turn);
        bench.during();
        return answer;
      },
    },
    leaseMs: 30_000,
    tracker: { onChange: () => () => undefined },
    rooms: { get: () => undefined },
    publisher: {
      publishEphemeral(event) {
        const { payload } = event as EventOf<'collaboration.event'>;
        published.push((payload as unknown as TurnStatePayload).state);
      },
    },
    encodeEphemeral: createEphemeralEncoder({ epoch: 'e' }, () => null),
    isConnectedHere: () => bench.isHere,
    connectedAgents: {
      async mayBeConnected() {
        bench.lookUps += 1;
        return bench.isElsewhere;
      },
    },
    log: pino({ level: 'silent' }),
  });
  return Object.assign(bench, { feed, [Symbol.dispose]: () => feed.close() });
}

const settled = () => new Promise(setImmediate);

describe('a turn', () => {
  it('ends with the last connection of its agent', async () => {
    using bench = createBench();
    await bench.set();
    bench.isHere = false;
    bench.isElsewhere = true;
    bench.feed.disconnected('bot');
    await settled();
    expect([bench.published, await bench.listed()]).toEqual([['thinking'], 1]);
    bench.isElsewhere = false;
    bench.feed.disconnected('bot');
    await settled();
    expect([bench.published, await bench.listed()]).toEqual([['thinking', 'idle'], 0]);
  });

  // The race: the agent's last socket closes while its turn is written.
  // Invariant: the turn does not last until its lease ends.
  it('ends if the last connection is closed while it is set', async () => {
    using bench = createBench();
    bench.during = () => (bench.isHere = false);
    await bench.set();
    expect([bench.published.at(-1), await bench.listed()]).toEqual(['idle', 0]);
  });

  // The race: the agent's socket to this hub closes while a turn is written, but the agent has a socket to another hub.
  // Invariant: the turn lasts, so it is shown.
  it('is shown if only the connection to this hub is closed while it is set', async () => {
    using bench = createBench();
    bench.isElsewhere = true;
    bench.during = () => (bench.isHere = false);
    await bench.set();
    expect([bench.published, await bench.listed()]).toEqual([['thinking'], 1]);
  });

  it('lasts if its agent comes back during the look-up', async () => {
    using bench = createBench();
    await bench.set();
    bench.isHere = false;
    bench.feed.disconnected('bot');
    bench.isHere = true;
    await settled();
    expect([bench.lookUps, bench.published, await bench.listed()]).toEqual([1, ['thinking'], 1]);
  });

  it('ends when its agent leaves the channel, and only there', async () => {
    using bench = createBench();
    await bench.set();
    await bench.set({ threadId: 't' });
    await bench.set({ channelId: 'd' });
    await bench.feed.left('c', 'bot');
    expect([await bench.listed('c'), await bench.listed('d')]).toEqual([0, 1]);
    expect(bench.published.slice(3)).toEqual(['idle', 'idle']);
  });

  // The race: several calls in flight find 49 turns each. Invariant: an agent has at most 50.
  it('is one of at most 50, and the oldest ends', async () => {
    using bench = createBench();
    for (let n = 0; n < 49; n += 1) await bench.set({ threadId: `t${n}` });
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((threadId) => bench.set({ threadId })));
    expect(await bench.listed()).toBe(50);
    expect(bench.published.filter((state) => state === 'idle')).toHaveLength(4);
  });
});
