import type { Thread } from '@openclaw/protocol';
import type { Chat } from '../../store/chat.ts';
import type { Entry } from '../../store/timeline.ts';
import { HappeningRow } from './system-event-row.tsx';
import { memo } from './memo.ts';
import { MessageRow } from './message-row.tsx';
import { dayText } from '../shared/format-time.ts';

/** One line of the conversation, with the day's name above the first of a day. */
export const EntryRow = memo(function EntryRow(props: {
  chat: Chat;
  entry: Entry;
  isContinued: boolean;
  isNewDay: boolean;
  isFirstNew: boolean;
  isMarked: boolean;
  isInThread: boolean;
  thread: Thread | undefined;
}) {
  const { entry, chat } = props;
  const timestamp = entry.kind === 'message' ? entry.message.timestamp : entry.envelope.timestamp;
  return (
    <div class={`row${props.isMarked ? ' row-marked' : ''}`} data-seq={entry.seq}>
      {props.isNewDay && (
        <div class="divider" role="separator">
          <span>{dayText(timestamp)}</span>
        </div>
      )}
      {props.isFirstNew && (
        <div class="divider divider-new" role="separator">
          <span>New</span>
        </div>
      )}
      {entry.kind === 'message' ? (
        <MessageRow
          chat={chat}
          message={entry.message}
          isContinued={props.isContinued && !props.isNewDay && !props.isFirstNew}
          thread={props.thread}
          isInThread={props.isInThread}
        />
      ) : (
        <HappeningRow envelope={entry.envelope} />
      )}
    </div>
  );
});
