import { type Component, type FunctionComponent, h } from 'preact';
import type { Thread } from '@openclaw/protocol';
import type { Chat } from '../../store/chat.ts';
import type { Entry } from '../../store/timeline.ts';
import { dayText, isSameDay } from '../shared/format-time.ts';
import { MessageRow } from './message-row.tsx';
import { SystemEventRow } from './system-event-row.tsx';

const groupedWithinMs = 5 * 60_000;

export function timeOf(entry: Entry): number {
  return entry.kind === 'message' ? entry.message.timestamp : entry.envelope.timestamp;
}

/** True when a message follows another one of its author after a short time, so that the author is not named again. */
export function isContinued(before: Entry | undefined, entry: Entry): boolean {
  if (before?.kind !== 'message' || entry.kind !== 'message') return false;
  const [a, b] = [before.message, entry.message];
  return (
    a.senderId === b.senderId &&
    b.timestamp - a.timestamp < groupedWithinMs &&
    a.deletedAt === null &&
    isSameDay(a.timestamp, b.timestamp)
  );
}

/** A component that is drawn again only when one of its props has changed. */
function memo<P extends object>(component: FunctionComponent<P>): FunctionComponent<P> {
  function shouldComponentUpdate(this: Component<P>, next: P): boolean {
    const props = this.props as Record<string, unknown>;
    const others = next as Record<string, unknown>;
    for (const name of Object.keys(others)) if (props[name] !== others[name]) return true;
    return Object.keys(props).length !== Object.keys(others).length;
  }
  function Memo(this: Component<P>, props: P) {
    this.shouldComponentUpdate = shouldComponentUpdate;
    return h(component, props);
  }
  return Memo as FunctionComponent<P>;
}

function Divider({ text, extraClass = '' }: { text: string; extraClass?: string }) {
  return (
    <div class={`divider ${extraClass}`} role="separator">
      <span>{text}</span>
    </div>
  );
}

/** A message or a system event; the first of a day has the date above it. */
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
          isInThread={props.isInThread}
        />
      ) : (
        <SystemEventRow envelope={entry.envelope} />
      )}
    </div>
  );
});
