import { useState } from 'preact/hooks';
import type { Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import { Avatar, IsolatedText } from '../shared/agents.tsx';
import { BareField, focusWhenShown, LoadButton, Pane } from '../shared/controls.tsx';
import { dayText, timeText } from '../shared/format-time.ts';
import { searchTimeline } from './search-timeline.ts';

const foundMax = 100;
const excerptChars = 220;
const pagesAtOnce = 5;

/** Searches the loaded entries of a channel, and loads older ones on request. */
export function SearchPane({ chat }: { chat: Chat }) {
  const { session, pane, target } = usePage();
  const [query, setQuery] = useState('');
  const timeline = chat.timeline.value;
  const found = searchTimeline(timeline, query, foundMax);
  const loadOlder = async () => {
    try {
      for (let page = 0; page < pagesAtOnce && chat.timeline.peek().hasOlder; page += 1) {
        await session.chats.historyOf(chat).older();
      }
    } catch (error) {
      session.notices.report('Older messages could not be loaded')(error);
    }
  };
  return (
    <Pane title="Search" onClose={() => (pane.value = 'none')}>
      <div class="pane-tools">
        <BareField
          ref={focusWhenShown}
          type="search"
          label="Search for words"
          placeholder="Words, or a name"
          value={query}
          onText={setQuery}
        />
      </div>
      <div class="found-list scrolls">
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
                <IsolatedText text={message.content.slice(0, excerptChars)} />
              </span>
            </span>
          </button>
        ))}
        <p class="quiet pane-note">
          {query.trim() !== '' &&
            found.length === 0 &&
            'Nothing found: try fewer words, or load older messages. '}
          {timeline.entries.length.toLocaleString()} lines of this channel are loaded.
        </p>
        {timeline.hasOlder && <LoadButton label="Load older messages" load={loadOlder} />}
      </div>
    </Pane>
  );
}
