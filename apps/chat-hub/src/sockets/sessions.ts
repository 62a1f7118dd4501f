import type { RevokedToken } from '@openclaw/chat-store';
import { isRevokedBy } from '../edge/revocations.ts';
import type { Session } from './session.ts';

const none: ReadonlySet<Session> = new Set();

export function createSessions() {
  const sessions = new Set<Session>();
  const byAgent = new Map<string, Set<Session>>();
  return {
    add(session: Session) {
      sessions.add(session);
      const own = byAgent.get(session.agentId);
      if (own) own.add(session);
      else byAgent.set(session.agentId, new Set([session]));
    },
    /** Returns true if it was the agent's last session on this hub. */
    remove(session: Session) {
      sessions.delete(session);
      const own = byAgent.get(session.agentId);
      own?.delete(session);
      if (own?.size !== 0) return false;
      byAgent.delete(session.agentId);
      return true;
    },
    ofAgent: (agentId: string) => byAgent.get(agentId) ?? none,
    all: () => sessions.values(),
    agentIds: () => byAgent.keys(),
    get size() {
      return sessions.size;
    },
    get agents() {
      return byAgent.size;
    },
    /** The cost grows with the number of sessions. */
    get lagging() {
      let count = 0;
      for (const session of sessions) if (session.isLagging) count += 1;
      return count;
    },
  };
}

export type Sessions = ReturnType<typeof createSessions>;

export function endRevoked(sessions: Sessions, revoked: readonly RevokedToken[]): void {
  for (const session of sessions.all()) {
    if (revoked.some((entry) => isRevokedBy(session.identity, entry)))
      session.close(4403, 'the token was revoked');
  }
}
