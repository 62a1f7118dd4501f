import { parseMarkdown } from '../../markdown/parse.ts';
import { renderMarkdown } from '../../markdown/render.ts';
import type { Chat } from '../../store/chat.ts';
import type { Outgoing } from '../../store/outbox.ts';
import { Avatar } from '../shared/avatar.tsx';
import { usePage } from '../../page/page-state.ts';
import { isWrittenTo, placeIn } from './compose-target.ts';
import { Plain } from '../shared/isolated-text.tsx';

/** What was written and is not stored yet, below what is. */
export function OutgoingList({ chat, threadId }: { chat: Chat; threadId: string | null }) {
  const { outbox, me } = usePage().session;
  const place = placeIn(chat.channel.value, threadId, me);
  return <OutgoingItems items={outbox.items.value.filter((item) => isWrittenTo(place, item))} />;
}

/** Messages on their way, each with what can be done about it. */
export function OutgoingItems({ items }: { items: readonly Outgoing[] }) {
  const { session } = usePage();
  const shown = items.filter((item) => item.state === 'failed' || !item.isShown);
  const isLive = session.line.value.tone !== 'bad';
  return (
    <div class="outgoing-list">
      {shown.map((item) => (
        <article key={item.id} class={`message outgoing outgoing-${item.state}`}>
          <div class="gutter">
            <Avatar agentId={session.me} avatar={session.profile.current.value.avatar} />
          </div>
          <div class="message-body">
            <header>
              <span class="author">{session.me}</span>
              <span class="quiet small">
                {item.state === 'failed'
                  ? 'Not sent'
                  : isLive
                    ? 'Sending…'
                    : 'Waits for the connection'}
              </span>
            </header>
            <div class="content">
              {renderMarkdown(parseMarkdown(item.content), {
                me: session.me,
                mentions: item.mentions,
              })}
            </div>
            {item.state === 'failed' && (
              <p class="problem" role="alert">
                <Plain text={item.error ?? ''} />{' '}
                <button class="link" onClick={() => session.outbox.retry(item.id)}>
                  Try again
                </button>{' '}
                <button class="link" onClick={() => session.outbox.discard(item.id)}>
                  Discard
                </button>
              </p>
            )}
          </div>
        </article>
      ))}
    </div>
  );
}
