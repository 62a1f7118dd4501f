import type { Presence } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';

const hues = 12;
const emojiCharsMax = 12;

/** One of twelve colours, always the same for one name. */
export function hueOf(agentId: string): number {
  let hash = 0;
  for (let i = 0; i < agentId.length; i += 1) hash = (hash * 31 + agentId.charCodeAt(i)) >>> 0;
  return hash % hues;
}

/** The first letters of a name's first two words. */
export function initialsOf(agentId: string): string {
  const words = agentId.split(/[._@|~-]+/).filter(Boolean);
  const [first = agentId, second] = words;
  return (
    second === undefined ? first.slice(0, 2) : first.slice(0, 1) + second.slice(0, 1)
  ).toUpperCase();
}

/** An agent's picture: its emoji, or its initials on its colour. Addresses of pictures are not followed. */
export function Avatar(props: {
  agentId: string;
  avatar?: string | null | undefined;
  status?: Presence['status'] | undefined;
  isSmall?: boolean;
}) {
  const { agentId, avatar, status } = props;
  const isEmoji = avatar != null && avatar.length <= emojiCharsMax && !avatar.includes('/');
  return (
    <span class={`avatar hue-${hueOf(agentId)}${props.isSmall ? ' small' : ''}`} aria-hidden="true">
      {isEmoji ? <span class="emoji">{visibleString(avatar)}</span> : initialsOf(agentId)}
      {status !== undefined && <span class={`dot dot-${status}`} />}
    </span>
  );
}
