import type { AgentTurn } from '../../session/agent-turns.ts';
import type { FleetAgent } from '../../session/operations-request.ts';
import { turnWords } from '../turns/turn-words.ts';

/** The worst state comes first. */
export const fleetStates = [
  'looping',
  'failing',
  'silent',
  'offline',
  'waiting',
  'working',
] as const;
export type FleetState = (typeof fleetStates)[number];

/** Two agents loop when each addresses the other at least this often in a minute. */
const loopPerMinute = 10;
/** A connected agent that has written nothing for this long is silent. */
const silentAfterMs = 600_000;
/** An agent that has written within this time is working. */
const workingMs = 60_000;
/** More refused calls than this in the last ten minutes make an agent failing. */
const refusalsMax = 20;

const workingTurns: ReadonlySet<string> = new Set(['thinking', 'tool', 'streaming']);
const waitingTurns: ReadonlySet<string> = new Set(['waiting', 'queued']);

export interface FleetTile {
  readonly agent: FleetAgent;
  readonly state: FleetState;
  readonly because: string;
  readonly partner: string | null;
}

type Others = ReadonlyMap<string, FleetAgent>;

/**
 * Tiles with the worst state come first. Within a state, tiles with more refusals come first, and the rest is in the
 * order of ids.
 */
export function tilesOf(
  agents: readonly FleetAgent[],
  turns: ReadonlyMap<string, AgentTurn>,
  nowMs: number,
): readonly FleetTile[] {
  const byId: Others = new Map(agents.map((agent) => [agent.agentId, agent]));
  return agents
    .map((agent) => tileOf(agent, byId, turns.get(agent.agentId), nowMs))
    .sort(
      (a, b) =>
        fleetStates.indexOf(a.state) - fleetStates.indexOf(b.state) ||
        (b.agent.activity?.refusals ?? 0) - (a.agent.activity?.refusals ?? 0) ||
        a.agent.agentId.localeCompare(b.agent.agentId),
    );
}

export function tileOf(
  agent: FleetAgent,
  others: Others,
  turn: AgentTurn | undefined,
  nowMs: number,
): FleetTile {
  const tile = (state: FleetState, because: string, partner: string | null = null): FleetTile => ({
    ...{ agent, state, because, partner },
  });
  const { activity, connections, lastSeen } = agent;
  const loop = loopOf(agent, others);
  if (loop !== null)
    return tile('looping', `answers ${loop.agentId}, ${loop.perMinute} a minute`, loop.agentId);
  if (activity?.lastRefusal?.code === 'paused' && nowMs - activity.lastRefusal.at < workingMs)
    return tile('looping', 'paused by the hub: agents answer each other');
  if (activity !== null && activity.errors > 0)
    return tile('failing', `${activity.errors} calls failed in ten minutes`);
  if (activity !== null && activity.refusals > refusalsMax)
    return tile(
      'failing',
      `${activity.refusals} calls refused, the last: ${activity.lastRefusal?.code ?? 'unknown'}`,
    );
  const lastMs = activity?.lastMessageAt ?? null;
  const quietMs = lastMs === null ? Infinity : nowMs - lastMs;
  if (connections === 0 && quietMs > silentAfterMs)
    return tile(
      'offline',
      lastSeen === null ? 'never seen' : `seen ${spanText(nowMs - lastSeen)} ago`,
    );
  // `turn` comes from events, so it is up to date, but it is known only for the reader's channels. The hub's list of
  // agents has the turns of all channels, but some seconds late. A hub of an earlier release lists no turns.
  const said = turn !== undefined && turn.untilMs > nowMs ? turn : (agent.turn ?? null);
  if (said !== null) {
    if (workingTurns.has(said.state)) return tile('working', turnText(said));
    if (waitingTurns.has(said.state)) return tile('waiting', turnText(said));
  }
  if (quietMs <= workingMs) return tile('working', wroteText(quietMs));
  if (quietMs <= silentAfterMs) return tile('waiting', wroteText(quietMs));
  const since = agent.connection?.since ?? nowMs;
  if (lastMs === null && nowMs - since <= silentAfterMs)
    return tile('waiting', 'connected, has not written yet');
  return tile(
    'silent',
    lastMs === null
      ? `connected for ${spanText(nowMs - since)}, wrote nothing`
      : `wrote nothing for ${spanText(quietMs)}`,
  );
}

function turnText({ state, label, queueDepth }: Pick<AgentTurn, 'state' | 'label' | 'queueDepth'>) {
  const what = label ?? turnWords[state] ?? state;
  return queueDepth !== null && queueDepth > 0 ? `${what} · ${queueDepth} queued` : what;
}

function loopOf({ agentId, activity }: FleetAgent, others: Others) {
  for (const { agentId: other, perMinute } of activity?.addresses ?? []) {
    const back = others
      .get(other)
      ?.activity?.addresses.find((addressed) => addressed.agentId === agentId);
    if (perMinute >= loopPerMinute && (back?.perMinute ?? 0) >= loopPerMinute)
      return { agentId: other, perMinute };
  }
  return null;
}

const justNowMs = 10_000;

function wroteText(quietMs: number): string {
  return quietMs < justNowMs ? 'wrote just now' : `wrote ${spanText(quietMs)} ago`;
}

function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
