import type { ChatStore, HubAgent } from '@openclaw/chat-store';
import type { Logger } from 'pino';
import type { PresenceFeed } from '../presence/presence-feed.ts';
import type { TurnFeed } from '../presence/turn-feed.ts';
import type { Sessions } from '../sockets/sessions.ts';
import type { AgentActivities } from './agent-activity.ts';
import { connectionOf } from './agent-connection.ts';

const everyMs = 1_000;
const reportEveryMs = 5_000;
const batchSize = 500;
/** The most agents that one run checks, so that a large fleet does not delay other writes. */
const looksPerTurn = 1_000;
/** All rows are written again after this time, because a restored backup may lack some rows. */
const rewriteAfterMs = 600_000;
/** After a longer pause, all rows are written again, because another hub may have removed them. */
const pausedMs = 30_000;
const quietMs = 600_000;
const avatarCharsMax = 64;

interface Written {
  readonly connections: number;
  readonly report: string | null;
  readonly atMs: number;
  lookedMs: number;
}

/**
 * Reports to the store, for each agent, the number of its connections to this hub, its activity and its turn. Every
 * hub can then list the agents of all hubs. Writes only changes.
 */
export function startAgentReports(deps: {
  readonly store: Pick<ChatStore, 'recordHubAgents'>;
  readonly hubId: string;
  readonly sessions: Pick<Sessions, 'agentIds' | 'ofAgent'>;
  readonly presence: Pick<PresenceFeed, 'stateOf'>;
  readonly turns: Pick<TurnFeed, 'latestOf'>;
  readonly activity: Pick<AgentActivities, 'agents' | 'reportOf'>;
  readonly log: Pick<Logger, 'debug'>;
  readonly clock?: () => number;
}) {
  const { store, hubId, sessions, presence, turns, activity, log } = deps;
  const { clock = () => performance.now() } = deps;
  const written = new Map<string, Written>();
  let lastTurnMs = clock();
  let isWhole = true;
  let running: Promise<void> | null = null;

  function rowOf(agentId: string): HubAgent | null {
    const here = sessions.ofAgent(agentId);
    const connections = here.size;
    const did = activity.reportOf(agentId);
    const isQuiet = did === null || Date.now() - lastTimeOf(did) > quietMs;
    const turn = turns.latestOf(agentId);
    if (connections === 0 && isQuiet && turn === null) return null;
    const connection = connections > 0 ? connectionOf([...here], presence) : null;
    // An avatar's URL may be long, and no view of the fleet loads it, so only a short avatar is kept.
    const avatar = connection?.avatar?.slice(avatarCharsMax) === '' ? connection.avatar : null;
    const report = JSON.stringify({
      connection: connection && { ...connection, avatar },
      activity: isQuiet ? null : did,
      turn,
    });
    return { agentId, connections, report };
  }

  /** Adds the agent's row if it must be written now. Returns true if the agent was checked. */
  function addChanged(rows: HubAgent[], agentId: string, nowMs: number, lookEveryMs: number) {
    const last = written.get(agentId);
    const isMoved = last?.connections !== sessions.ofAgent(agentId).size;
    if (!isMoved && nowMs - last.lookedMs < lookEveryMs) return false;
    if (last) last.lookedMs = nowMs;
    const row = rowOf(agentId) ?? { agentId, connections: 0, report: null };
    const isOld = last !== undefined && nowMs - last.atMs >= rewriteAfterMs;
    if (isMoved || isOld || last.report !== row.report) rows.push(row);
    return true;
  }

  function due(nowMs: number): HubAgent[] {
    const rows: HubAgent[] = [];
    // In a large fleet each agent is checked less often, so that a run stays short.
    const lookEveryMs = Math.max(reportEveryMs, (written.size / looksPerTurn) * everyMs);
    let looks = 0;
    const isFull = () => looks >= looksPerTurn;
    for (const agentId of sessions.agentIds())
      if (isFull()) return rows;
      else if (addChanged(rows, agentId, nowMs, lookEveryMs)) looks += 1;
    for (const agentId of written.keys())
      if (isFull()) return rows;
      else if (sessions.ofAgent(agentId).size === 0)
        if (addChanged(rows, agentId, nowMs, lookEveryMs)) looks += 1;
    // The agents that use only REST are left. The most recently active one comes first, so the first quiet one ends the
    // loop.
    for (const agentId of activity.agents.keys()) {
      if (isFull()) return rows;
      if (written.has(agentId) || sessions.ofAgent(agentId).size > 0) continue;
      const row = rowOf(agentId);
      if (row === null) break;
      rows.push(row);
      looks += 1;
    }
    return rows;
  }

  async function report(): Promise<void> {
    const nowMs = clock();
    if (nowMs - lastTurnMs > pausedMs) isWhole = true;
    lastTurnMs = nowMs;
    if (isWhole) written.clear();
    const rows = due(nowMs);
    for (let from = 0; from < rows.length || isWhole; from += batchSize) {
      const batch = rows.slice(from, from + batchSize);
      await store.recordHubAgents(hubId, batch, isWhole);
      isWhole = false;
      for (const { agentId, ...row } of batch)
        if (row.connections > 0 || row.report !== null)
          written.set(agentId, { ...row, atMs: nowMs, lookedMs: nowMs });
        else written.delete(agentId);
    }
  }

  function turn(): Promise<void> {
    running ??= report()
      .catch((error: unknown) => {
        // Another hub may have removed earlier rows, so all rows are written again.
        isWhole = true;
        log.debug({ err: error }, 'the reports about agents were not recorded; they will be');
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
          log.debug({ err: error }, 'the reports about agents were not removed'),
        );
    },
  };
}

function lastTimeOf({
  lastMessageAt,
  lastRefusal,
  errors,
}: NonNullable<ReturnType<AgentActivities['reportOf']>>): number {
  return errors > 0 ? Infinity : Math.max(lastMessageAt ?? 0, lastRefusal?.at ?? 0);
}
