import type { Presence } from '@openclaw/protocol';
import type { Session } from '../../session/session.ts';
import { usePage } from '../page-state.ts';

export const statusWords: Readonly<Record<Presence['status'], string>> = {
  online: 'Online',
  dnd: 'Do not disturb',
  away: 'Away',
  offline: 'Offline',
};

export const statuses = Object.keys(statusWords) as readonly Presence['status'][];

/** The presence of an agent: channels may know different ones, and the latest that is not offline counts. */
export function usePresence(agentId: string): Presence | undefined {
  return presenceOf(usePage().session, agentId);
}

function presenceOf(session: Session, agentId: string): Presence | undefined {
  let best: Presence | undefined;
  for (const chat of session.chats.byId.value.values()) {
    const presence = chat.presences.value.get(agentId);
    if (presence === undefined) continue;
    const isBetter =
      best === undefined ||
      (best.status === 'offline' && presence.status !== 'offline') ||
      (presence.status !== 'offline' && presence.lastSeen > best.lastSeen);
    if (isBetter) best = presence;
  }
  return best;
}

/** The agents of all channels, ordered by name. */
export function knownAgents(session: Session): Map<string, Presence | undefined> {
  const ids = new Set<string>();
  for (const chat of session.chats.byId.value.values()) {
    for (const agentId of chat.members.value.keys()) ids.add(agentId);
    for (const agentId of chat.presences.value.keys()) ids.add(agentId);
  }
  const sorted = [...ids].sort((a, b) => a.localeCompare(b));
  return new Map(sorted.map((agentId) => [agentId, presenceOf(session, agentId)]));
}
