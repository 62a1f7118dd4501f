import type { ChatStore, HubAgent } from '@openclaw/chat-store';
import type { Logger } from 'pino';
import type { Sessions } from '../sockets/sessions.ts';

/** A change is in the store within about this time. */
const everyMs = 1_000;
const batchSize = 500;
/** The most rows written in one turn, so that the reconnects of a large fleet do not delay other writes. */
const rowsPerTurn = 2_000;
/** Rows are written again after this time, because a restored backup has lost them. */
const rewriteAfterMs = 600_000;
/** If the hub was paused for longer, another one may have removed its rows. */
const pausedMs = 30_000;

interface Written {
  readonly connections: number;
  readonly report: string | null;
  readonly atMs: number;
}

/**
 * Reports to the store how many connections each agent has to this hub, so that every hub can list the connections to
 * all of them. Writes only what changed, once a second.
 */
export function startAgentReports(deps: {
  readonly store: Pick<ChatStore, 'recordHubAgents'>;
  readonly hubId: string;
  readonly sessions: Pick<Sessions, 'agentIds' | 'ofAgent'>;
  readonly log: Pick<Logger, 'debug'>;
  /** @default performance.now */
  readonly clock?: () => number;
}) {
  const { store, hubId, sessions, log, clock = () => performance.now() } = deps;
  const written = new Map<string, Written>();
  let lastTurnMs = clock();
  let isWhole = true;
  let running: Promise<void> | null = null;

  function* changed(nowMs: number): Generator<HubAgent> {
    for (const agentId of sessions.agentIds()) {
      const connections = sessions.ofAgent(agentId).size;
      const last = written.get(agentId);
      if (last?.connections === connections && nowMs - last.atMs < rewriteAfterMs) continue;
      yield { agentId, connections, report: null };
    }
    for (const agentId of written.keys())
      if (sessions.ofAgent(agentId).size === 0) yield { agentId, connections: 0, report: null };
  }

  async function report(): Promise<void> {
    const nowMs = clock();
    if (nowMs - lastTurnMs > pausedMs) isWhole = true;
    lastTurnMs = nowMs;
    if (isWhole) written.clear();
    const due: HubAgent[] = [];
    for (const row of changed(nowMs)) {
      if (due.length === rowsPerTurn) break;
      due.push(row);
    }
    for (let from = 0; from < due.length || isWhole; from += batchSize) {
      const batch = due.slice(from, from + batchSize);
      await store.recordHubAgents(hubId, batch, isWhole);
      isWhole = false;
      for (const { agentId, ...row } of batch)
        if (row.connections > 0) written.set(agentId, { ...row, atMs: nowMs });
        else written.delete(agentId);
    }
  }

  function turn(): Promise<void> {
    running ??= report()
      .catch((error: unknown) => {
        // Some rows may have been written, and meanwhile removed by another hub.
        isWhole = true;
        log.debug({ err: error }, 'the connections of agents were not recorded; they will be');
      })
      .finally(() => (running = null));
    return running;
  }

  const timer = setInterval(() => void turn(), everyMs);
  timer.unref();
  return {
    /** Removes this hub's rows, so that agents that moved to another hub are not counted twice. */
    async close(): Promise<void> {
      clearInterval(timer);
      await running;
      await store
        .recordHubAgents(hubId, [], true)
        .catch((error: unknown) =>
          log.debug({ err: error }, 'the connections of agents were not removed'),
        );
    },
  };
}
