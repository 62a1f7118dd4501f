import type { AgentRecord, ChatStore } from '@openclaw/chat-store';
import type { AgentKind } from '@openclaw/protocol';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { createWriteBehind } from './write-behind.ts';

/**
 * While the database is away, at most this many agents wait to be written. Further agents are written when they are
 * seen again.
 */
const maxPending = 20_000;
/** At most this many seen agents are remembered, so that not each of their REST calls writes to the database. */
const maxRemembered = 50_000;
/** An agent that keeps calling is written at most once in this time. */
const refreshMs = 60_000;

export function createKnownAgents(deps: {
  readonly store: Pick<ChatStore, 'recordAgents'>;
  readonly log: Logger;
  readonly clock?: () => number;
}) {
  const { store, log, clock = () => performance.now() } = deps;
  const remembered = new LRUCache<string, { readonly kind: AgentKind; readonly atMs: number }>({
    max: maxRemembered,
  });
  const writes = createWriteBehind<AgentRecord>({
    write: (agents) => store.recordAgents(agents),
    what: 'known agents',
    ...{ log, clock, maxPending },
  });

  return {
    /** Call it when a token of the agent was verified, or when a connection of the agent ended. */
    seen({ agentId, kind }: { readonly agentId: string; readonly kind: AgentKind }) {
      const last = remembered.peek(agentId);
      const nowMs = clock();
      if (last?.kind === kind && nowMs - last.atMs < refreshMs) return;
      if (!writes.add(agentId, { agentId, kind })) return;
      remembered.set(agentId, { kind, atMs: nowMs });
    },
    /** Call it when a token was issued for the agent. Does not count the agent as seen. */
    minted(agentId: string) {
      // If the agent already waits to be written as seen, no second write is needed.
      if (!writes.has(agentId)) writes.add(agentId, { agentId, kind: null });
    },
    /** Null when this hub has seen no token of the agent recently. */
    kindOf: (agentId: string) => remembered.peek(agentId)?.kind ?? null,
    close: () => writes.close(),
  };
}

export type KnownAgents = ReturnType<typeof createKnownAgents>;
