import type { AgentRecord, ChatStore } from '@openclaw/chat-store';
import type { AgentKind } from '@openclaw/protocol';
import type { Logger } from 'pino';

/** Records in the store which agents there are, of which kind, and when they were last seen. */
export interface KnownAgents {
  /** A token of the agent was verified, or a connection of its ended. Costs a look-up in memory. */
  seen(agent: { readonly agentId: string; readonly kind: AgentKind }): void;
  /** The agent was minted a token; it counts as seen when it shows one. */
  minted(agentId: string): void;
  /** The kind of the agent's last token at this hub; null when this hub has not seen one lately. */
  kindOf(agentId: string): AgentKind | null;
  /** Writes what is pending. */
  close(): Promise<void>;
}

/** Agents are written together this often at most: 10,000 clients that return at once cost a few commits. */
const writeEveryMs = 250;
/** After a failure. */
const retryAfterMs = 2_000;
const maxBatch = 500;
/** Agents to be written; while the database is away, any more are left until they are seen again. */
const maxPending = 20_000;
/** Agents remembered with what was written of them, so that a call over REST costs no write. */
const maxRemembered = 50_000;
/** An agent that goes on calling is written as seen again after this. */
const refreshMs = 60_000;

export function createKnownAgents(deps: {
  readonly store: Pick<ChatStore, 'recordAgents'>;
  readonly log: Logger;
  /** @default performance.now */
  readonly clock?: () => number;
}): KnownAgents {
  const { store, log, clock = () => performance.now() } = deps;
  const pending = new Map<string, AgentRecord>();
  const remembered = new Map<string, { readonly kind: AgentKind; readonly atMs: number }>();
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
      log.debug({ err: error }, 'known agents were not recorded; they will be');
      waitMs = retryAfterMs;
      for (const agent of batch) {
        // What was seen meanwhile is newer.
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
    seen({ agentId, kind }) {
      const last = remembered.get(agentId);
      const nowMs = clock();
      if (last?.kind === kind && nowMs - last.atMs < refreshMs) return;
      if (!add({ agentId, kind })) return;
      remembered.delete(agentId);
      remembered.set(agentId, { kind, atMs: nowMs });
      const [oldest] = remembered.keys();
      if (remembered.size > maxRemembered && oldest !== undefined) remembered.delete(oldest);
    },
    minted(agentId) {
      // One that waits to be written as seen is known thereby.
      if (!pending.has(agentId)) add({ agentId, kind: null });
    },
    kindOf: (agentId) => remembered.get(agentId)?.kind ?? null,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await writing;
      // Ends with the first failure, so that an absent database does not hold up the close.
      while (pending.size > 0 && (await write()));
    },
  };
}
