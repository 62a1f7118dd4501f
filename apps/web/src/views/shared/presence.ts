import type { Presence } from '@openclaw/protocol';
import type { Session } from '../../session/session.ts';
import { usePage } from '../../page/page-state.ts';

/** What is known of an agent's presence, in whichever channel it was seen last. */
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

/** Everyone met in any channel, by name. */
export function everyone(session: Session): Map<string, Presence | undefined> {
  const people = new Map<string, Presence | undefined>();
  for (const chat of session.chats.byId.value.values()) {
    for (const agentId of chat.members.value.keys()) people.set(agentId, undefined);
    for (const agentId of chat.presences.value.keys()) people.set(agentId, undefined);
  }
  for (const agentId of people.keys()) people.set(agentId, presenceOf(session, agentId));
  return new Map([...people].sort(([a], [b]) => a.localeCompare(b)));
}

/** The words for a status. */
export const statusWords: Readonly<Record<Presence['status'], string>> = {
  online: 'Online',
  away: 'Away',
  dnd: 'Do not disturb',
  offline: 'Offline',
};
