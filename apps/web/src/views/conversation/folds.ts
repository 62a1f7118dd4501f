import type { EventOf } from '@openclaw/protocol';
import type { Entry, SystemEventEntry } from '../../store/timeline.ts';
import { isDecision } from '../decisions/decision-event.ts';
import { isSameDay } from '../shared/format-time.ts';

/** A fold shows several system events of one kind in one row. When it is open, the events follow in separate rows. */
export interface Fold {
  readonly kind: 'fold';
  /** Half a seq before the first event, because in an open fold that event has a row with its own seq. */
  readonly seq: number;
  readonly lastSeq: number;
  readonly of: FoldKind;
  readonly events: readonly SystemEventEntry[];
  readonly isOpen: boolean;
}

export type Row = Entry | Fold;
type FoldKind = 'members' | 'events';

const foldMin = 3;

function kindOf(entry: Entry | undefined): FoldKind | null {
  if (entry?.kind !== 'systemEvent') return null;
  const { type } = entry.envelope.event;
  if (type === 'collaboration.event') return isDecision(entry.envelope) ? null : 'events';
  return type === 'channel.member.join' || type === 'channel.member.leave' ? 'members' : null;
}

/** Folds runs of joins and leaves, and runs of the agents' events, within a day. `opened` has a seq of each open fold. */
export function foldRows(entries: readonly Entry[], opened: ReadonlySet<number>): readonly Row[] {
  const rows: Row[] = [];
  for (let start = 0; start < entries.length;) {
    const first = entries[start] as Entry;
    const kind = kindOf(first);
    let end = start + 1;
    if (kind !== null) {
      while (kindOf(entries[end]) === kind && isOneDay(first, entries[end] as Entry)) end += 1;
    }
    if (kind === null || end - start < foldMin) {
      for (let at = start; at < end; at += 1) rows.push(entries[at] as Entry);
    } else {
      const events = entries.slice(start, end) as SystemEventEntry[];
      const isOpen = opened.size > 0 && events.some(({ seq }) => opened.has(seq));
      const lastSeq = isOpen ? first.seq - 1 : (events.at(-1) ?? first).seq;
      rows.push({ kind: 'fold', seq: first.seq - 0.5, lastSeq, of: kind, events, isOpen });
      if (isOpen) rows.push(...events);
    }
    start = end;
  }
  return rows;
}

function isOneDay(a: Entry, b: Entry): boolean {
  if (a.kind !== 'systemEvent' || b.kind !== 'systemEvent') return false;
  return isSameDay(a.envelope.timestamp, b.envelope.timestamp);
}

const namedMax = 3;

/** A fold shows these words for the hub's own events. Other events keep the names that agents gave them. */
const hubEventWords: Readonly<Record<string, string>> = {
  'claim.granted': 'thread taken on',
  'claim.released': 'thread let go',
};

/**
 * One line that says what a fold contains: `ada, bob and 4 others joined`, `turn.start ×6, task.end ×2 by ada`. `nameOf`
 * gives the name of an agent.
 */
export function foldText(
  { of, events }: Pick<Fold, 'of' | 'events'>,
  nameOf: (agentId: string) => string = (agentId) => agentId,
): string {
  if (of === 'events') {
    const names = countsOf(
      events.map(({ envelope }) => {
        const { name } = eventOf(envelope);
        return hubEventWords[name] ?? name;
      }),
    );
    const agents = [...new Set(events.map(({ envelope }) => envelope.senderId))].map(nameOf);
    return `${withOthers([...names].map(([name, count]) => `${name} ×${count}`))} by ${withOthers(agents)}`;
  }
  const agentsOf = (type: string) => [
    ...new Set(
      events.flatMap(({ envelope: { event } }) =>
        event.type === type && 'member' in event ? [event.member.agentId] : [],
      ),
    ),
  ];
  const parts = [
    [agentsOf('channel.member.join'), 'joined'],
    [agentsOf('channel.member.leave'), 'left'],
  ] as const;
  return parts
    .filter(([agents]) => agents.length > 0)
    .map(([agents, verb]) => `${withOthers(agents.map(nameOf))} ${verb}`)
    .join(' · ');
}

const eventOf = ({ event }: SystemEventEntry['envelope']) =>
  event as EventOf<'collaboration.event'>;

function countsOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}

function withOthers(names: readonly string[]): string {
  const shown = names.slice(0, namedMax);
  const more = names.length - shown.length;
  if (more > 0) return `${shown.join(', ')} and ${more === 1 ? 'one other' : `${more} others`}`;
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`;
}
