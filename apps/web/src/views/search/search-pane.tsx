import { useEffect, useRef, useState } from 'preact/hooks';
import type { Chat } from '../../store/chat.ts';
import { searchTimeline } from './search-timeline.ts';
import { Avatar } from '../shared/avatar.tsx';
import { dayText, timeText } from '../shared/format-time.ts';
import { usePage } from '../../page/page-state.ts';
import { Pane } from '../shared/pane.tsx';
import { Plain } from '../shared/isolated-text.tsx';

const foundMax = 100;
const excerptChars = 220;
const pagesAtOnce = 5;

/** Looks through what is loaded of the channel, and loads more of it to look through. */
export function SearchPane({ chat }: { chat: Chat }) {
  const { session, pane, target } = usePage();
  const [question, setQuestion] = useState('');
  const [isLoading, setLoading] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const timeline = chat.timeline.value;
  const found = searchTimeline(timeline, question, foundMax);
  const loadMore = async () => {
    setLoading(true);
    try {
      for (let page = 0; page < pagesAtOnce && chat.timeline.peek().hasOlder; page += 1) {
        await session.chats.historyOf(chat).older();
      }
    } catch (error) {
      session.notices.report('More could not be read', error);
    }
    setLoading(false);
  };
  return (
    <Pane title="Search" onClose={() => (pane.value = 'none')}>
      <div class="pane-tools">
        <input
          ref={field}
          type="search"
          aria-label="Words to look for"
          placeholder="Words, or a name"
          value={question}
          onInput={(event) => setQuestion(event.currentTarget.value)}
        />
      </div>
      <div class="found-list">
        {found.map((message) => (
          <button
            key={message.id}
            class="found"
            onClick={() => (target.value = { channelId: chat.id, seq: message.seq })}
          >
            <Avatar agentId={message.senderId} isSmall />
            <span class="found-text">
              <span class="found-head">
                <b>{message.senderId}</b>
                <span class="quiet small">
                  {dayText(message.timestamp)}, {timeText(message.timestamp)}
                </span>
              </span>
              <span class="found-excerpt">
                <Plain text={message.content.slice(0, excerptChars)} />
              </span>
            </span>
          </button>
        ))}
        <p class="quiet pane-note">
          {question.trim() !== '' && found.length === 0 && 'Nothing found. '}
          {timeline.entries.length.toLocaleString()} lines of this channel are loaded.
        </p>
        {timeline.hasOlder && (
          <button class="pane-note-button" disabled={isLoading} onClick={() => void loadMore()}>
            {isLoading ? 'Reading…' : 'Look further back'}
          </button>
        )}
      </div>
    </Pane>
  );
}
