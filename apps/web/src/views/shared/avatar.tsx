import type { Presence } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';

const hues = 12;
const emojiCharsMax = 12;

function hueOf(agentId: string): number {
  let hash = 0;
  for (let i = 0; i < agentId.length; i += 1) hash = (hash * 31 + agentId.charCodeAt(i)) >>> 0;
  return hash % hues;
}

function initialsOf(agentId: string): string {
  const [first = agentId, second] = agentId.split(/[._@|~-]+/).filter(Boolean);
  const initials =
    second === undefined ? first.slice(0, 2) : first.slice(0, 1) + second.slice(0, 1);
  return initials.toUpperCase();
}

/** An agent's emoji, or its initials on a colour that depends on its id. URLs of images are not loaded. */
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
