import { useState } from 'preact/hooks';
import type { Message } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';
import type { Chat } from '../../store/chat.ts';
import { usePage, type PageState } from '../../page/page-state.ts';

/** What one press of a button adds. */
export const quickEmojis = ['👍', '❤️', '😄', '🎉', '👀', '🚀', '✅', '🙏'];
const shownMax = 20;

/** Adds this agent's reaction, or takes it back. */
export function toggleReaction(
  session: PageState['session'],
  chat: Chat,
  message: Message,
  emoji: string,
): void {
  const channel = session.client.channel(chat.id);
  const isMine = message.reactions[emoji]?.includes(session.me) ?? false;
  const change = isMine ? channel.unreact(message.id, emoji) : channel.react(message.id, emoji);
  change.catch((error: unknown) =>
    session.notices.report('The reaction did not get through', error),
  );
}

/** The reactions to a message, each with how many gave it. */
export function Reactions({ chat, message }: { chat: Chat; message: Message }) {
  const { session } = usePage();
  const [isWhole, setWhole] = useState(false);
  const all = Object.entries(message.reactions);
  if (all.length === 0) return null;
  const shown = isWhole ? all : all.slice(0, shownMax);
  return (
    <div class="reactions">
      {shown.map(([emoji, agents]) => (
        <button
          key={emoji}
          class="reaction"
          aria-pressed={agents.includes(session.me)}
          title={namesOf(agents)}
          onClick={() => toggleReaction(session, chat, message, emoji)}
        >
          <span class="emoji">{visibleString(emoji)}</span> {agents.length}
        </button>
      ))}
      {shown.length < all.length && (
        <button class="reaction" onClick={() => setWhole(true)}>
          +{all.length - shown.length}
        </button>
      )}
    </div>
  );
}

function namesOf(agents: readonly string[]): string {
  const named = agents.slice(0, 10).join(', ');
  return agents.length > 10 ? `${named} and ${agents.length - 10} more` : named;
}
