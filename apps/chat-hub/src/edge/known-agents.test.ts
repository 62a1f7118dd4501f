import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AgentRecord } from '@openclaw/chat-store';
import { pino } from 'pino';
import { createKnownAgents } from './known-agents.ts';

describe('known agents', () => {
  let written: AgentRecord[][];
  let isAway: boolean;
  beforeEach(() => {
    jest.useFakeTimers();
    written = [];
    isAway = false;
  });
  afterEach(() => void jest.useRealTimers());

  const open = () =>
    createKnownAgents({
      log: pino({ level: 'silent' }),
      clock: () => Date.now(),
      store: {
        async recordAgents(agents) {
          if (isAway) throw new Error('away');
          written.push([...agents]);
        },
      },
    });

  it('are written together, and a call soon after another writes nothing', async () => {
    const agents = open();
    agents.seen({ agentId: 'ana', kind: 'person' });
    await jest.advanceTimersByTimeAsync(0);
    expect(written).toEqual([[{ agentId: 'ana', kind: 'person' }]]);
    agents.seen({ agentId: 'ana', kind: 'person' });
    agents.seen({ agentId: 'ben', kind: 'agent' });
    agents.minted('cem');
    await jest.advanceTimersByTimeAsync(10_000);
    expect(written.slice(1)).toEqual([
      [
        { agentId: 'ben', kind: 'agent' },
        { agentId: 'cem', kind: null },
      ],
    ]);
    expect([agents.kindOf('ana'), agents.kindOf('cem')]).toEqual(['person', null]);
    await agents.close();
  });

  it('are written again after a minute, and at once when their kind changes', async () => {
    const agents = open();
    agents.seen({ agentId: 'ana', kind: 'agent' });
    await jest.advanceTimersByTimeAsync(1_000);
    agents.seen({ agentId: 'ana', kind: 'service' });
    await jest.advanceTimersByTimeAsync(60_000);
    agents.seen({ agentId: 'ana', kind: 'service' });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(written.flat().map(({ kind }) => kind)).toEqual(['agent', 'service', 'service']);
    await agents.close();
  });

  it('are all written at the end, however many, unless the store is away', async () => {
    for (isAway of [false, true]) {
      written = [];
      const agents = open();
      for (let i = 0; i < 1_200; i += 1) agents.minted(`agent-${i}`);
      await agents.close();
      expect(written.map((batch) => batch.length)).toEqual(isAway ? [] : [500, 500, 200]);
    }
  });

  it('that could not be written are written later, with their latest state', async () => {
    const agents = open();
    isAway = true;
    agents.seen({ agentId: 'ana', kind: 'agent' });
    await jest.advanceTimersByTimeAsync(1_000);
    agents.seen({ agentId: 'ana', kind: 'person' });
    agents.seen({ agentId: 'ben', kind: 'agent' });
    isAway = false;
    await jest.advanceTimersByTimeAsync(5_000);
    expect(written.flat()).toEqual([
      { agentId: 'ana', kind: 'person' },
      { agentId: 'ben', kind: 'agent' },
    ]);
    await agents.close();
  });

  it('are bounded in number, and so is a batch', async () => {
    const agents = open();
    isAway = true;
    for (let n = 0; n < 25_000; n++) agents.seen({ agentId: `agent-${n}`, kind: 'agent' });
    isAway = false;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(Math.max(...written.map((batch) => batch.length))).toBe(500);
    expect(written.flat()).toHaveLength(20_000);
    expect(agents.kindOf('agent-24999')).toBeNull();
    await agents.close();
  });

  it('that are still waiting are written at the end', async () => {
    const agents = open();
    agents.seen({ agentId: 'ana', kind: 'agent' });
    await agents.close();
    expect(written).toEqual([[{ agentId: 'ana', kind: 'agent' }]]);
  });
});
