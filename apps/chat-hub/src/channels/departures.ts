import type { ChatStore } from '@openclaw/chat-store';

const maxLeaves = 1_000;
const agentsAtOnce = 8;

/** Remembers leaves, because a membership that was read just before a leave must be read again. */
export class Departures {
  readonly #leaves = new Map<string, { readonly seq: number; hasRejoined: boolean }>();
  /** Leaves up to this seq may be missing from `#leaves`. */
  #forgottenSeq = 0;

  left(agentId: string, seq: number): void {
    this.#leaves.delete(agentId);
    this.#leaves.set(agentId, { seq, hasRejoined: false });
    const [oldest] = this.#leaves;
    if (this.#leaves.size > maxLeaves && oldest) {
      this.#leaves.delete(oldest[0]);
      this.#forgottenSeq = oldest[1].seq;
    }
  }

  rejoined(agentId: string): void {
    const leave = this.#leaves.get(agentId);
    if (leave) leave.hasRejoined = true;
  }

  /** Any agent may have left with the skipped events, so every membership is in doubt. */
  skipped(seq: number): void {
    this.#leaves.clear();
    this.#forgottenSeq = seq;
  }

  /**
   * Also returns true when departures after `seq` may have been forgotten. Returns false when the agent has joined
   * again.
   */
  hasLeftSince(seq: number, agentId: string): boolean {
    return this.wasAwaySince(seq, agentId) && !this.#leaves.get(agentId)?.hasRejoined;
  }

  /** Works as `hasLeftSince`, but also returns true when the agent has joined again. */
  wasAwaySince(seq: number, agentId: string): boolean {
    return (this.#leaves.get(agentId)?.seq ?? this.#forgottenSeq) > seq;
  }
}

/**
 * Costs a query for each agent. Also checks sessions that enter the set during the call. Rejects with ChatStoreError.
 */
export async function readDeparted(
  store: Pick<ChatStore, 'access'>,
  channelId: string,
  sessions: ReadonlySet<{ readonly agentId: string }>,
): Promise<ReadonlySet<string>> {
  const checked = new Set<string>();
  const departed = new Set<string>();
  // The workers share one iterator of the set, which also returns sessions that are added during the iteration.
  async function readAgents(remaining: Iterable<{ readonly agentId: string }>): Promise<void> {
    for (const { agentId } of remaining) {
      if (checked.has(agentId)) continue;
      checked.add(agentId);
      const access = await store.access(agentId, [channelId], null);
      if (!access.get(channelId)?.role) departed.add(agentId);
    }
  }
  // A session may enter during the last read, so the loop ends only after a round without a new agent.
  for (let before = -1; checked.size > before;) {
    before = checked.size;
    const remaining = sessions.values();
    await Promise.all(Array.from({ length: agentsAtOnce }, () => readAgents(remaining)));
  }
  return departed;
}
