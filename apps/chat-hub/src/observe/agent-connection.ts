import type { AgentConnectionReport } from '@openclaw/protocol';
import type { PresenceFeed } from '../presence/presence-feed.ts';
import type { Session } from '../sockets/session.ts';

/** `sessions` must not be empty. The status that was set last counts. */
export function connectionOf(
  sessions: readonly Session[],
  presence: Pick<PresenceFeed, 'stateOf'>,
): AgentConnectionReport {
  const said = sessions.flatMap((session) => presence.stateOf(session) ?? []);
  const last = said.toSorted((a, b) => b.atMs - a.atMs)[0];
  return {
    status: last?.status ?? 'online',
    customStatus: last?.customStatus ?? null,
    avatar: last?.avatar ?? null,
    statusAt: last?.atMs ?? null,
    since: Math.min(...sessions.map(({ connectedAtMs }) => connectedAtMs)),
    channels: new Set(sessions.flatMap(({ rooms }) => [...rooms.keys()])).size,
    isLagging: sessions.some(({ isLagging }) => isLagging),
  };
}
