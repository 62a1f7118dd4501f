import type { Session } from '../../session/session.ts';
import { titleOf } from '../../store/channel-names.ts';
import type { Chat } from '../../store/chat.ts';

export interface Attention {
  readonly isUnread: boolean;
  readonly badge: number | null;
  readonly badgeKind: 'message' | 'mention' | 'reply';
}

/** A muted channel gets attention only when a message mentions the reader. */
export function attentionOf(session: Session, chat: Chat): Attention {
  const { count, mentions, threads } = chat.unread.value;
  const isMuted = session.choices.value.muted.includes(chat.id);
  const isDirect = chat.channel.value.kind === 'direct';
  // Every message in a direct channel is for the reader, like a mention.
  if (isDirect && count > 0 && !isMuted) {
    return { isUnread: true, badge: count, badgeKind: 'mention' };
  }
  if (mentions > 0) return { isUnread: true, badge: mentions, badgeKind: 'mention' };
  if (isMuted) return { isUnread: false, badge: null, badgeKind: 'message' };
  if (count > 0) return { isUnread: true, badge: count, badgeKind: 'message' };
  const replies = [...threads.values()].reduce((sum, thread) => sum + thread.count, 0);
  return { isUnread: false, badge: replies === 0 ? null : replies, badgeKind: 'reply' };
}

export function openChat(session: Session): Chat | null {
  const route = session.router.route.value;
  if (route.view === 'channel') return session.chats.byId.value.get(route.channelId) ?? null;
  return route.view === 'direct' ? session.chats.directWith(route.agentId) : null;
}

export interface ChatSections {
  readonly favourites: readonly Chat[];
  readonly channels: readonly Chat[];
  readonly directs: readonly Chat[];
}

/**
 * The sections are in the order of the sidebar. With “unread only”, they have only the open chat and the chats that
 * `attentionOf` shows as unread or with a badge.
 */
export function chatSections(session: Session): ChatSections {
  const { favourites, isUnreadOnly } = session.choices.value;
  const open = openChat(session);
  const named = [...session.chats.byId.value.values()]
    .filter((chat) => {
      if (!isUnreadOnly || chat === open) return true;
      const { isUnread, badge } = attentionOf(session, chat);
      return isUnread || badge !== null;
    })
    .map((chat) => ({ chat, name: titleOf(chat.channel.value, session.me) }))
    .sort((a, b) => collator.compare(a.name, b.name))
    .map(({ chat }) => chat);
  const others = named.filter((chat) => !favourites.includes(chat.id));
  const isDirect = (chat: Chat) => chat.channel.value.kind === 'direct';
  return {
    favourites: named.filter((chat) => favourites.includes(chat.id)),
    channels: others.filter((chat) => !isDirect(chat)),
    directs: others.filter(isDirect),
  };
}

const collator = new Intl.Collator();

/**
 * The chat after the open one in the order of the sidebar, or the chat before it if `step` is -1. The search goes on at
 * the sidebar's other end. Null when it finds no chat.
 */
export function chatBeside(session: Session, step: 1 | -1, isUnreadOnly: boolean): Chat | null {
  const { favourites, channels, directs } = chatSections(session);
  const all = [...favourites, ...channels, ...directs];
  const open = openChat(session);
  const at = open === null ? -1 : all.indexOf(open);
  const start = at < 0 && step < 0 ? 0 : at;
  for (let n = 1; n <= all.length; n += 1) {
    const chat = all[(start + step * n + all.length * 2) % all.length];
    if (chat === undefined || chat === open) continue;
    if (!isUnreadOnly || attentionOf(session, chat).isUnread) return chat;
  }
  return null;
}
