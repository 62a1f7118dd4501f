import { signal } from '@preact/signals';
import type { HubClient } from '@openclaw/client';

export interface AgentTurn {
  readonly place: string;
  readonly state: string;
  readonly label: string | null;
  readonly queueDepth: number | null;
  readonly untilMs: number;
}

const agentsMax = 2_000;

/**
 * Keeps the latest `turn.state` of each agent in the reader's channels. Beyond 2,000 agents, the oldest state is
 * forgotten.
 */
export function createAgentTurns(client: Pick<HubClient, 'on' | 'call'>) {
  const turns = signal<ReadonlyMap<string, AgentTurn>>(new Map());
  const off = client.on('event', ({ event }) => {
    if (event.type !== 'collaboration.event' || event.name !== 'turn.state') return;
    take(event.channelId, event.payload);
  });

  function take(channelId: string | null, payload: Readonly<Record<string, unknown>>) {
    const { agentId, state, label, untilMs, threadId, queueDepth } = payload;
    if (typeof agentId !== 'string' || typeof state !== 'string') return;
    const place = `${channelId} ${typeof threadId === 'string' ? threadId : ''}`;
    // An agent may work in several channels and threads, so the end of one turn must not remove another.
    if (state === 'idle' && turns.peek().get(agentId)?.place !== place) return;
    const next = new Map(turns.peek());
    // The map is ordered by the time of the last change.
    next.delete(agentId);
    next.set(agentId, {
      place,
      state,
      label: typeof label === 'string' ? label : null,
      queueDepth: typeof queueDepth === 'number' ? queueDepth : null,
      untilMs: typeof untilMs === 'number' ? untilMs : 0,
    });
    const oldest = next.keys().next().value;
    if (next.size > agentsMax && oldest !== undefined) next.delete(oldest);
    turns.value = next;
  }

  return {
    turns,
    /** Call it when the channel is opened. Turns that change during the read keep their newer state. */
    async load(channelId: string) {
      const before = turns.peek();
      const { turns: found } = await client.call('turn.list', { channelId });
      for (const turn of found) {
        if (turns.peek().get(turn.agentId) === before.get(turn.agentId))
          take(channelId, { ...turn });
      }
    },
    close: () => off(),
  };
}
