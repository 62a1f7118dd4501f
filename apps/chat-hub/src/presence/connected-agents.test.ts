import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { createConnectedAgents } from './connected-agents.ts';

interface Known {
  /** The hubs with a beat, or null while the database is away. */
  readonly hubIds: readonly string[] | null;
  /** The hubs to which the agent is connected, or null when the look-up fails. */
  readonly connections: readonly string[] | null;
  readonly degraded?: boolean;
}

function mayBeConnected({ hubIds, connections, degraded = false }: Known): Promise<boolean> {
  const nothing = async () => ({ record: null, degraded });
  return createConnectedAgents({
    tracker: {
      hubId: 'here',
      track: nothing,
      untrack: nothing,
      async listConnections() {
        if (!connections) throw new Error('no answer');
        const of = { agentId: 'bot', sessionId: 's', endsAtMs: Infinity };
        const found = connections.map((hubId) => ({ ...of, hubId }));
        return { connections: found, atMs: 0, nextCursor: null, degraded };
      },
    },
    store: {
      async hubs() {
        if (!hubIds) throw new Error('away');
        return hubIds.map((hubId) => ({ hubId, lastBeatAgoMs: 0, figures: null }));
      },
    },
    log: pino({ level: 'silent' }),
  }).mayBeConnected('bot');
}

describe('an agent without a connection to this hub', () => {
  it('may be connected to another hub that beats', async () => {
    const hubIds = ['here', 'there'];
    expect(await mayBeConnected({ hubIds, connections: ['there'] })).toBe(true);
    expect(await mayBeConnected({ hubIds, connections: ['dead'] })).toBe(false);
    expect(await mayBeConnected({ hubIds, connections: [] })).toBe(false);
    expect(await mayBeConnected({ hubIds: null, connections: [] })).toBe(false);
  });

  // The fault: a failed look-up counted as no connection, which ended the turns of agents on other hubs.
  // Invariant: without an answer from Redis, the agent may be connected to any other hub that beats.
  it.each([{ connections: null }, { connections: [], degraded: true }])(
    'may be connected while the look-up gives $connections',
    async (found) => {
      expect(await mayBeConnected({ hubIds: ['here', 'there'], ...found })).toBe(true);
      expect(await mayBeConnected({ hubIds: null, ...found })).toBe(true);
      // A hub that runs alone without Redis knows all connections.
      expect(await mayBeConnected({ hubIds: ['here'], ...found })).toBe(false);
    },
  );
});
