import type { AgentRecord, ChatStore } from '@openclaw/chat-store';
import type { AgentKind } from '@openclaw/protocol';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';

/** Agents are written together, at most this often. So 10,000 clients that return at once cost only a few commits. */
const writeEveryMs = 250;
const retryAfterMs = 2_000;
const maxBatch = 500;
/** Agents waiting to be written. While the database is away, further agents are skipped until they are seen again. */
const maxPending = 20_000;
/** Agents remembered together with their last written values, so that a REST call costs no write. */
const maxRemembered = 50_000;
/** An agent that keeps calling is written as seen again after this time. */
const refreshMs = 60_000;

/** Records in the store which agents there are, of which kind, and when they were last seen. */
export function createKnownAgents(deps: {
  readonly store: Pick<ChatStore, 'recordAgents'>;
  readonly log: Logger;
  /** @default performance.now */
  readonly clock?: () => number;
}) {
  const { store, log, clock = () => performance.now() } = deps;
  const pending = new Map<string, AgentRecord>();
  const remembered = new LRUCache<string, { readonly kind: AgentKind; readonly atMs: number }>({
    max: maxRemembered,
  });
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let writtenMs = -Infinity;
  let isClosed = false;

  function add(agent: AgentRecord): boolean {
    if (pending.size >= maxPending && !pending.has(agent.agentId)) return false;
    pending.set(agent.agentId, agent);
    schedule(writtenMs + writeEveryMs - clock());
    return true;
  }

  function schedule(waitMs: number): void {
    if (isClosed || timer || writing) return;
    timer = setTimeout(() => void write(), Math.max(0, waitMs));
    timer.unref();
  }

  /** Writes one batch. Resolves with false when it could not be written. */
  async function write(): Promise<boolean> {
    timer = undefined;
    writtenMs = clock();
    const batch = [...pending.values()].slice(0, maxBatch);
    for (const { agentId } of batch) pending.delete(agentId);
    let waitMs = writeEveryMs;
    writing = store.recordAgents(batch).catch((error: unknown) => {
      log.debug({ err: error }, 'known agents were not recorded; the write is repeated later');
      waitMs = retryAfterMs;
      for (const agent of batch) {
        // A record made during the write is newer.
        if (pending.size < maxPending && !pending.has(agent.agentId)) {
          pending.set(agent.agentId, agent);
        }
      }
    });
    await writing;
    writing = undefined;
    if (pending.size > 0) schedule(waitMs);
    return waitMs === writeEveryMs;
  }

  return {
    /** Call it when a token of the agent was verified or one of its connections ended. Costs a look-up in memory. */
    seen({ agentId, kind }: { readonly agentId: string; readonly kind: AgentKind }) {
      const last = remembered.peek(agentId);
      const nowMs = clock();
      if (last?.kind === kind && nowMs - last.atMs < refreshMs) return;
      if (!add({ agentId, kind })) return;
      remembered.set(agentId, { kind, atMs: nowMs });
    },
    /** Call it when a token was issued for the agent. The agent counts as seen only when it uses a token. */
    minted(agentId: string) {
      // The pending write of an agent that was seen also makes the agent known.
      if (!pending.has(agentId)) add({ agentId, kind: null });
    },
    /** The kind in the agent's last token at this hub; null when this hub has seen none recently. */
    kindOf: (agentId: string) => remembered.peek(agentId)?.kind ?? null,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await writing;
      // Stops at the first failure, so that an absent database does not delay the close.
      while (pending.size > 0 && (await write()));
    },
  };
}

export type KnownAgents = ReturnType<typeof createKnownAgents>;
