import { useEffect } from 'preact/hooks';
import { visibleString } from '../../markdown/visible-text.ts';
import { titleOf } from '../../store/channel-names.ts';
import { usePage } from '../page-state.ts';
import { attentionOf, openChat } from './chat-order.ts';

// The bundler finds the files by these expressions.
const icon = new URL('../../icon.svg', import.meta.url).href;
const iconWithNews = new URL('../../icon-news.svg', import.meta.url).href;

export function useTabState(): void {
  const { session } = usePage();
  let mentions = 0;
  for (const chat of session.chats.byId.value.values()) {
    const { badge, badgeKind } = attentionOf(session, chat);
    if (badgeKind === 'mention') mentions += badge ?? 0;
  }
  // Mentions and needs overlap, so the greater number counts. A mention that was read stays a need until it is done.
  const count = Math.max(mentions, session.needs.open.value.length);
  const chat = openChat(session);
  const name = chat === null ? '' : `${visibleString(titleOf(chat.channel.value, session.me))} · `;
  useEffect(() => {
    document.title = `${count > 0 ? `(${count}) ` : ''}${name}OpenClaw`;
  }, [count, name]);
  const hasNews = count > 0;
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (link !== null) link.href = hasNews ? iconWithNews : icon;
    return () => {
      document.title = 'OpenClaw';
      if (link !== null) link.href = icon;
    };
  }, [hasNews]);
}
