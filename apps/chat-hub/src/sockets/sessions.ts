import type { RevokedToken } from '@openclaw/chat-store';
import type { Identity } from '../edge/identity.ts';
import type { Session } from './session.ts';

/** All open sessions of this hub. */
export interface Sessions {
  add(session: Session): void;
  /** Returns true when it was the agent's last one here. */
  remove(session: Session): boolean;
  ofAgent(agentId: string): ReadonlySet<Session>;
  all(): Iterable<Session>;
  /** The agents with a session here, in no order. */
  agentIds(): Iterable<string>;
  readonly size: number;
  /** How many agents have a session here. */
  readonly agents: number;
  /** How many sessions read too slowly for live delivery now. Reading it looks at every session. */
  readonly lagging: number;
}

const none: ReadonlySet<Session> = new Set();

export function createSessions(): Sessions {
  const sessions = new Set<Session>();
  const byAgent = new Map<string, Set<Session>>();
  return {
    add(session) {
      sessions.add(session);
      const own = byAgent.get(session.agentId);
      if (own) own.add(session);
      else byAgent.set(session.agentId, new Set([session]));
    },
    remove(session) {
      sessions.delete(session);
      const own = byAgent.get(session.agentId);
      own?.delete(session);
      if (own?.size !== 0) return false;
      byAgent.delete(session.agentId);
      return true;
    },
    ofAgent: (agentId) => byAgent.get(agentId) ?? none,
    all: () => sessions.values(),
    agentIds: () => byAgent.keys(),
    get size() {
      return sessions.size;
    },
    get agents() {
      return byAgent.size;
    },
    get lagging() {
      let count = 0;
      for (const session of sessions) if (session.isLagging) count += 1;
      return count;
    },
  };
}

/** Closes (4403) every socket whose token was revoked. */
export function endRevoked(sessions: Sessions, revoked: readonly RevokedToken[]): void {
  for (const session of sessions.all()) {
    if (revoked.some((entry) => isRevokedBy(session.identity, entry)))
      session.close(4403, 'the token was revoked');
  }
}

// A revocation of an agent ends all tokens that were issued to it up to that time. A token without `iat` counts as
// older.
function isRevokedBy(identity: Identity, { jti, sub, revokedAtMs }: RevokedToken): boolean {
  if (jti !== null) return jti === identity.jti;
  return sub === identity.agentId && (identity.issuedAtMs ?? 0) <= revokedAtMs;
}
