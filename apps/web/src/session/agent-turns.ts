import { signal } from '@preact/signals';
import type { HubClient } from '@openclaw/client';

/** The turn that an agent has reported, until it expires. */
export interface AgentTurn {
  /** The ids of the channel and the thread. */
  readonly place: string;
  readonly state: string;
  readonly label: string | null;
  readonly untilMs: number;
}

const agentsMax = 2_000;

/**
 * The latest `turn.state` of each agent in the reader's channels. Past 2,000 agents the oldest are
 * forgotten.
 */
export function createAgentTurns(client: Pick<HubClient, 'on'>) {
  const turns = signal<ReadonlyMap<string, AgentTurn>>(new Map());
  const off = client.on('event', ({ event }) => {
    if (event.type !== 'collaboration.event' || event.name !== 'turn.state') return;
    const { agentId, state, label, untilMs, threadId } = event.payload;
    if (typeof agentId !== 'string' || typeof state !== 'string') return;
    const place = `${event.channelId} ${typeof threadId === 'string' ? threadId : ''}`;
    // An agent may have turns in several channels and threads, and the end of one is not the end of
    // another.
    if (state === 'idle' && turns.peek().get(agentId)?.place !== place) return;
    const next = new Map(turns.peek());
    // Moves the agent to the end: the map is ordered by the time of the last change.
    next.delete(agentId);
    next.set(agentId, {
      place,
      state,
      label: typeof label === 'string' ? label : null,
      untilMs: typeof untilMs === 'number' ? untilMs : 0,
    });
    const oldest = next.keys().next().value;
    if (next.size > agentsMax && oldest !== undefined) next.delete(oldest);
    turns.value = next;
  });
  return { turns, close: () => off() };
}
