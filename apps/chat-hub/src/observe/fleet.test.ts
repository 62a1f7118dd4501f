import { expect, it } from '@jest/globals';
import type { FleetAgent } from '@openclaw/chat-store';
import { createFleet } from './fleet.ts';

const thinking = { state: 'thinking', label: 'Reads', queueDepth: null };
const tool = { state: 'tool', label: 'Runs the tests', queueDepth: 2 };

async function turnOf(...turns: readonly (object | null)[]) {
  const hubs = turns.map((turn, at) => ({
    ...{ hubId: `hub-${at}`, connections: 1 },
    report: JSON.stringify({ connection: null, activity: null, turn }),
  }));
  const agent: FleetAgent = { agentId: 'bot', kind: 'agent', lastSeenMs: 1, hubs };
  const fleet = createFleet({
    store: {
      fleet: async () => ({ agents: [agent], nextCursor: null }),
      fleetAgent: async () => null,
    },
    agentOrders: { limitOf: () => null },
    frozen: { hub: false, agents: new Set() },
    showsLabels: true,
  });
  return (await fleet.page(null, 1)).agents[0]?.turn;
}

// The fault: an agent began a turn on one hub, and later another turn on a second hub. The older turn was shown.
// Invariant: the newest turn is shown, whichever hub reports it.
it('shows the turn of an agent that began last, on any hub', async () => {
  const [older, newer] = [
    { ...thinking, sinceMs: 1_000 },
    { ...tool, sinceMs: 2_000 },
  ];
  expect(await turnOf(older, null, newer)).toEqual(tool);
  expect(await turnOf(newer, older)).toEqual(tool);
  // A hub of an earlier release does not say when the turn began.
  expect(await turnOf(thinking, older)).toEqual(thinking);
  expect(await turnOf(tool, null)).toEqual(tool);
  expect(await turnOf(null)).toBeNull();
});
