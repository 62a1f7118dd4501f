import type { ComponentChildren } from 'preact';
import { indexOfSeq, type Entry } from '../../store/timeline.ts';
import type { useRowWindow } from '../../windowing/use-row-window.ts';
import type { Chat } from '../../store/chat.ts';
import { AgentName } from '../shared/agents.tsx';
import { timeText } from '../shared/format-time.ts';
import { isContinued } from './entry-row.tsx';

export const leadingHeight = 56;

/** Renders only the rows in `drawn`. The children are above these rows, and the footer is below them. */
export function EntryList(props: {
  label: string;
  chat: Chat;
  entries: readonly Entry[];
  rows: ReturnType<typeof useRowWindow>;
  drawn: ComponentChildren;
  footer: ComponentChildren;
  children: ComponentChildren;
}) {
  const { rows } = props;
  return (
    <div class="scrolled fill">
      <AuthorAtTop chat={props.chat} entries={props.entries} rows={rows} />
      <div
        class="scroller"
        ref={rows.view}
        onScroll={rows.onScroll}
        onWheel={rows.onWheel}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={props.label}
      >
        {props.children}
        <div class="rows" style={{ height: `${rows.totalHeight}px` }}>
          <div
            class="rows-drawn"
            ref={rows.list}
            style={rows.offset === null ? { bottom: 0 } : { top: `${rows.offset}px` }}
          >
            {props.drawn}
          </div>
        </div>
        {props.footer}
      </div>
    </div>
  );
}

// When the list is scrolled by more than this, the author's name is out of view.
const headerHeight = 26;

/** Shows the author of the first message in view, once the author's name is above the view. */
function AuthorAtTop(props: {
  chat: Chat;
  entries: readonly Entry[];
  rows: Pick<ReturnType<typeof useRowWindow>, 'shown'>;
}) {
  const { chat, entries } = props;
  const shown = props.rows.shown.value;
  if (shown === null) return null;
  const index = indexOfSeq(entries, shown.first);
  const entry = entries[index];
  if (entry?.kind !== 'message' || entry.seq !== shown.first) return null;
  if (shown.above < headerHeight && !isContinued(entries[index - 1], entry)) return null;
  const { senderId, timestamp } = entry.message;
  return (
    <p class="author-at-top line small" aria-hidden="true">
      <b class="ellipsis">
        <AgentName members={chat.members.value} agentId={senderId} />
      </b>
      <span class="quiet">{timeText(timestamp)}</span>
    </p>
  );
}
