import { useMemo } from 'preact/hooks';
import type { Thread } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';
import { nameInText } from '../../store/agent-names.ts';
import type { Chat } from '../../store/chat.ts';
import type { Entry } from '../../store/timeline.ts';
import { dayText, isSameDay, timeText } from '../shared/format-time.ts';
import { Icon } from '../shared/controls.tsx';
import { type Fold, foldText, type Row } from './folds.ts';
import { MessageRow } from './message-row.tsx';
import { SystemEventRow } from './system-event-row.tsx';

const groupedWithinMs = 5 * 60_000;

export function timeOf(entry: Row): number {
  if (entry.kind === 'fold') return entry.events[0]?.envelope.timestamp ?? 0;
  return entry.kind === 'message' ? entry.message.timestamp : entry.envelope.timestamp;
}

/** True if `before` is a recent message of the same author. The author is then not named again. */
export function isContinued(before: Row | undefined, entry: Row): boolean {
  if (before?.kind !== 'message' || entry.kind !== 'message') return false;
  const [a, b] = [before.message, entry.message];
  return (
    a.senderId === b.senderId &&
    b.timestamp - a.timestamp < groupedWithinMs &&
    a.deletedAt === null &&
    isSameDay(a.timestamp, b.timestamp)
  );
}

function Divider({ text, extraClass = '' }: { text: string; extraClass?: string }) {
  return (
    <div class={`divider line ${extraClass}`} role="separator">
      <span>{text}</span>
    </div>
  );
}

export interface EntryRowProps {
  readonly chat: Chat;
  readonly entry: Entry;
  readonly isContinued: boolean;
  readonly isInThread: boolean;
  readonly isNewDay?: boolean;
  readonly isFirstNew?: boolean;
  readonly isMarked?: boolean;
  /** Set only for the root message of a thread, and only in the channel's list. */
  readonly thread?: Thread | undefined;
  readonly newReplies?: number | undefined;
}

/** Is rendered again only when a prop has changed. */
export function EntryRow(props: EntryRowProps) {
  return useMemo(() => <DrawnRow {...props} />, Object.values(props));
}

function DrawnRow(props: EntryRowProps) {
  const { entry, chat } = props;
  return (
    <div class={`row${props.isMarked ? ' row-marked' : ''}`} data-seq={entry.seq}>
      {props.isNewDay && <Divider text={dayText(timeOf(entry))} />}
      {props.isFirstNew && <Divider text="New" extraClass="divider-new" />}
      {entry.kind === 'message' ? (
        <MessageRow
          chat={chat}
          message={entry.message}
          isContinued={props.isContinued && !props.isNewDay && !props.isFirstNew}
          thread={props.thread}
          newReplies={props.newReplies ?? 0}
          isInThread={props.isInThread}
        />
      ) : (
        <SystemEventRow chat={chat} envelope={entry.envelope} />
      )}
    </div>
  );
}

export function FoldRow(props: {
  chat: Chat;
  fold: Fold;
  isNewDay: boolean;
  onToggle: (fold: Fold) => void;
}) {
  const { chat, fold, isNewDay, onToggle } = props;
  const members = chat.members.value;
  const text = useMemo(
    () => visibleString(foldText(fold, (agentId) => nameInText(members, agentId))),
    [fold.seq, fold.events.length, members],
  );
  return (
    <div class="row" data-seq={fold.seq}>
      {isNewDay && <Divider text={dayText(timeOf(fold))} />}
      <button class="fold quiet" aria-expanded={fold.isOpen} onClick={() => onToggle(fold)}>
        <Icon name={fold.isOpen ? 'opened' : 'closed'} />
        <span class="ellipsis">{text}</span>
        <time class="small">{timeText(timeOf(fold))}</time>
      </button>
    </div>
  );
}
