import type { Presence } from '@openclaw/protocol';
import type { ComponentChildren } from 'preact';
import { visibleString } from '../../markdown/visible-text.ts';
import { hashOf } from '../../page/route.ts';
import type { Session } from '../../session/session.ts';
import { shownName } from '../../store/agent-names.ts';
import type { Members } from '../../store/reducers.ts';
import { usePage } from '../page-state.ts';

// Each entry has the background and the text colour, both for the light and the dark theme.
const colours = [
  ['#e3e6fb', '#2d3263', '#3d469f', '#c3caff'],
  ['#dcefe6', '#1d3d2f', '#1d5f42', '#9be0bf'],
  ['#f8e4d8', '#47301f', '#8a4313', '#f2bd97'],
  ['#f5dfe9', '#48253a', '#8b2a59', '#f3adcf'],
  ['#dcebf7', '#1f3850', '#1d5480', '#a5d1f3'],
  ['#efe3f6', '#3b2a4a', '#693690', '#d7b5f0'],
  ['#f4ecd0', '#3d3519', '#6b5208', '#e6ce7f'],
  ['#dbeff0', '#1b3d40', '#155e63', '#98dce0'],
  ['#f9dedd', '#4a2524', '#93302a', '#f5b0ab'],
  ['#e6edd4', '#303c1a', '#49601a', '#c6dd90'],
  ['#e7e4f0', '#322c48', '#544583', '#c7bbf0'],
  ['#e2e8ee', '#2b3540', '#3c4f63', '#b6c8da'],
] as const;
const emojiCharsMax = 12;

function coloursOf(agentId: string) {
  let hash = 0;
  for (let i = 0; i < agentId.length; i += 1) hash = (hash * 31 + agentId.charCodeAt(i)) >>> 0;
  const [light, dark, textLight, textDark] = colours[hash % colours.length] ?? colours[0];
  return {
    background: `light-dark(${light}, ${dark})`,
    color: `light-dark(${textLight}, ${textDark})`,
  };
}

function initialsOf(agentId: string): string {
  const [first = agentId, second] = agentId.split(/[._@|~-]+/).filter(Boolean);
  const initials =
    second === undefined ? first.slice(0, 2) : first.slice(0, 1) + second.slice(0, 1);
  return initials.toUpperCase();
}

/** Shows an emoji, or initials on a colour that depends on the agent's id. URLs of images are not loaded. */
export function Avatar(props: {
  agentId: string;
  avatar?: string | null;
  status?: Presence['status'];
  isSmall?: boolean;
}) {
  const { agentId, avatar, status } = props;
  const isEmoji = avatar != null && avatar.length <= emojiCharsMax && !avatar.includes('/');
  return (
    <span
      class={`avatar${props.isSmall ? ' small' : ''}`}
      style={coloursOf(agentId)}
      aria-hidden="true"
    >
      {isEmoji ? <span class="emoji">{visibleString(avatar)}</span> : initialsOf(agentId)}
      {status !== undefined && <Dot status={status} />}
    </span>
  );
}

export function Dot({ status }: { status: Presence['status'] }) {
  const style = { background: `var(--dot-${status})` };
  return <span class={`dot dot-${status}`} style={style} aria-hidden="true" />;
}

/** A text of another agent cannot change the direction of the surrounding text. */
export function IsolatedText({ text }: { text: string }) {
  return <bdi>{visibleString(text)}</bdi>;
}

/** The id is shown on hover, and always if another agent could have this name. */
export function AgentName({ members, agentId }: { members: Members; agentId: string }) {
  const { name, isInDoubt } = shownName(members, agentId);
  return (
    <span title={agentId}>
      <IsolatedText text={name} />
      {isInDoubt && (
        <>
          {' '}
          <span class="quiet small agent-id">{agentId}</span>
        </>
      )}
    </span>
  );
}

export const statusWords: Readonly<Record<Presence['status'], string>> = {
  online: 'Online',
  dnd: 'Do not disturb',
  away: 'Away',
  offline: 'Offline',
};

export const statuses = Object.keys(statusWords) as readonly Presence['status'][];

/**
 * `lastSeen` is null when the status is not known, because neither a channel nor the hub's list has
 * the agent.
 */
type ShownPresence = Omit<Presence, 'agentId' | 'lastSeen'> & { readonly lastSeen: number | null };
type AgentStatus = Pick<Presence, 'agentId' | 'status'>;

export const unknownPresence: ShownPresence = {
  status: 'offline',
  avatar: null,
  customStatus: null,
  lastSeen: null,
};

/** An agent's presence may differ between channels. The latest one that is not offline is used. */
export function usePresence(agentId: string): ShownPresence {
  return presenceOf(usePage().session, agentId);
}

function presenceOf(session: Session, agentId: string): ShownPresence {
  let best = unknownPresence;
  for (const chat of session.chats.byId.value.values()) {
    const presence = chat.presences.value.get(agentId);
    if (presence === undefined) continue;
    const isBetter =
      best.lastSeen === null ||
      (presence.status !== 'offline' &&
        (best.status === 'offline' || presence.lastSeen > best.lastSeen));
    if (isBetter) best = presence;
  }
  if (best.status !== 'offline') return best;
  // An agent can be connected without being present in a channel of the reader.
  const connected = session.hubPresence.connected.value?.get(agentId);
  if (connected === undefined) return best;
  const { status, customStatus, avatar } = connected;
  return {
    status,
    customStatus,
    avatar: avatar ?? best.avatar,
    lastSeen: Date.now(),
  };
}

export function presenceText({ status, lastSeen }: ShownPresence): string {
  return status === 'offline' && lastSeen === null ? 'Status not known' : statusWords[status];
}

export function knownAgents(session: Session): Map<string, ShownPresence> {
  const ids = new Set<string>();
  for (const chat of session.chats.byId.value.values()) {
    for (const agentId of chat.members.value.keys()) ids.add(agentId);
    for (const agentId of chat.presences.value.keys()) ids.add(agentId);
  }
  const sorted = [...ids].sort((a, b) => a.localeCompare(b));
  return new Map(sorted.map((agentId) => [agentId, presenceOf(session, agentId)]));
}

export const drawnAgentsMax = 300;

export function NotDrawn({ count }: { count: number }) {
  return count > 0 ? <p class="quiet pane-note">{count} more: type part of a name.</p> : null;
}

export function compareAgents(a: AgentStatus, b: AgentStatus): number {
  return (
    statuses.indexOf(a.status) - statuses.indexOf(b.status) || a.agentId.localeCompare(b.agentId)
  );
}

export function StatusText({ status, customStatus }: Pick<Presence, 'status' | 'customStatus'>) {
  if (customStatus === null) return <>{statusWords[status]}</>;
  return <IsolatedText text={customStatus} />;
}

export function AgentLink(
  props: Omit<ShownPresence, 'lastSeen'> & {
    agentId: string;
    detail?: string | null;
    view?: 'direct' | 'agent';
    children: ComponentChildren;
  },
) {
  const { agentId, status, avatar, customStatus, detail = null, view = 'direct' } = props;
  return (
    <a class={`person line person-${status}`} href={hashOf({ view, agentId })}>
      <Avatar agentId={agentId} avatar={avatar} status={status} />
      <span class="person-text">
        <span class="person-name">{props.children}</span>
        <span class="quiet small ellipsis">
          <StatusText status={status} customStatus={customStatus} />
          {detail !== null && ` · ${detail}`}
        </span>
      </span>
    </a>
  );
}
