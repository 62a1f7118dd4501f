import type { Presence } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';

// The background and the text, each in light and in dark.
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
    <span
      class={`avatar${props.isSmall ? ' small' : ''}`}
      style={coloursOf(agentId)}
      aria-hidden="true"
    >
      {isEmoji ? <span class="emoji">{visibleString(avatar)}</span> : initialsOf(agentId)}
      {status !== undefined && <span class={`dot dot-${status}`} />}
    </span>
  );
}
