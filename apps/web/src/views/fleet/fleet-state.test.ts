import { expect, it } from '@jest/globals';
import type { FleetAgent } from '../../session/operations-request.ts';
import { tilesOf } from './fleet-state.ts';

const nowMs = 100 * 3_600_000;
const minuteMs = 60_000;
const activity = {
  ...{ messagesPerMinute: 0, lastMessageAt: null, refusals: 0, lastRefusal: null, errors: 0 },
  addresses: [],
};

function agentOf(
  agentId: string,
  did: Partial<NonNullable<FleetAgent['activity']>> | null = {},
  more: Partial<FleetAgent> = {},
): FleetAgent {
  return {
    ...{ agentId, kind: 'agent', lastSeen: nowMs - 5 * minuteMs, connections: 1, hubs: ['a'] },
    connection: {
      ...{ status: 'online', customStatus: null, avatar: null, statusAt: null },
      ...{ since: nowMs - 60 * minuteMs, channels: 1, isLagging: false },
    },
    activity: did === null ? null : { ...activity, ...did },
    ...{ turn: null, limit: null, frozen: false, ...more },
  };
}

const ago = (minutes: number) => ({ lastMessageAt: nowMs - minutes * minuteMs });
const addressing = (agentId: string, perMinute: number) => ({
  ...{ ...ago(0), messagesPerMinute: perMinute, addresses: [{ agentId, perMinute }] },
});
const none = new Map();
const statesOf = (agents: FleetAgent[], turns: Parameters<typeof tilesOf>[1] = none) =>
  tilesOf(agents, turns, nowMs).map(({ agent, state }) => `${agent.agentId} ${state}`);

it('puts the worst first', () => {
  const gone = { connections: 0, connection: null, hubs: [] };
  expect(
    statesOf([
      agentOf('busy', { ...ago(0), messagesPerMinute: 3 }),
      agentOf('idle', ago(5)),
      agentOf('mute', ago(90)),
      agentOf('gone', null, gone),
      agentOf('broken', { errors: 2 }),
      agentOf('pushy', { refusals: 50, lastRefusal: { code: 'forbidden', at: nowMs } }),
      agentOf('ping', addressing('pong', 20)),
      agentOf('pong', addressing('ping', 19)),
    ]),
  ).toEqual([
    ...['ping looping', 'pong looping', 'pushy failing', 'broken failing'],
    ...['mute silent', 'gone offline', 'idle waiting', 'busy working'],
  ]);
});

it('one agent that addresses another without an answer does not loop', () => {
  const ping = agentOf('ping', addressing('pong', 20));
  expect(statesOf([ping, agentOf('pong', addressing('ping', 2))])).toEqual([
    ...['ping working', 'pong working'],
  ]);
  // The hub has paused the agent, because it looped a moment ago.
  const paused = { refusals: 3, lastRefusal: { code: 'paused', at: nowMs - 5_000 } };
  expect(statesOf([agentOf('ping', { ...ago(0), ...paused })])).toEqual(['ping looping']);
});

it('believes what an agent says of its turn, until the time of that is over', () => {
  const turn = (state: string, untilMs: number) =>
    new Map([['bot', { place: 'c null', state, label: null, queueDepth: null, untilMs }]]);
  const silent = [agentOf('bot', ago(90))];
  expect(statesOf(silent, turn('thinking', nowMs + 1))).toEqual(['bot working']);
  expect(statesOf(silent, turn('waiting', nowMs + 1))).toEqual(['bot waiting']);
  expect(statesOf(silent, turn('thinking', nowMs - 1))).toEqual(['bot silent']);
});

// The page gets the events of turns only from its reader's channels, which may be few. The hub knows the turns in all
// channels.
it('believes what the hub knows of a turn in any channel, and the newer word of the page first', () => {
  const tool = { state: 'tool', label: null, queueDepth: 2 } as const;
  const [tile] = tilesOf([agentOf('bot', ago(90), { turn: tool })], none, nowMs);
  expect(tile).toMatchObject({ state: 'working', because: 'is using a tool · 2 queued' });
  const heard = { place: 'c null', state: 'waiting', label: 'CI', queueDepth: null };
  const turns = new Map([['bot', { ...heard, untilMs: nowMs + 1 }]]);
  const [newer] = tilesOf([agentOf('bot', ago(90), { turn: tool })], turns, nowMs);
  expect(newer).toMatchObject({ state: 'waiting', because: 'CI' });
});

it('says the rate of an agent once', () => {
  const [tile] = tilesOf([agentOf('busy', { ...ago(0), messagesPerMinute: 6 })], none, nowMs);
  expect(tile).toMatchObject({ state: 'working', because: 'wrote just now' });
});

it('an agent that has just connected is not silent', () => {
  const connection = { ...agentOf('new').connection!, since: nowMs - minuteMs };
  expect(statesOf([agentOf('new', {}, { connection })])).toEqual(['new waiting']);
  expect(statesOf([agentOf('old')])).toEqual(['old silent']);
});
