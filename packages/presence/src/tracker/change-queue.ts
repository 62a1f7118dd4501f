import { toUnavailable } from '@openclaw/redis-client';
import { PresenceError } from '../errors.ts';
import type {
  JoinEntry,
  JoinOutcome,
  LeaseStore,
  LeaveEntry,
  UpdateEntry,
} from '../lease-store/lease-store.ts';
import type { PresenceRecord } from '../state.ts';

/** `sliceMax`: the most changes in a slice. `inFlightMax`: the most slices that wait for an answer. */
const sliceMax = 250;
const inFlightMax = 8;
/** The most changes that wait. While so many wait, new changes fail at once, as if the store were away. */
const queuedMax = 100_000;

interface Queued<Kind extends string, Entry, Outcome> {
  readonly kind: Kind;
  readonly entry: Entry;
  readonly done: (outcome: Outcome | PresenceError) => void;
}

type Change =
  | Queued<'join', JoinEntry, JoinOutcome>
  | Queued<'set', UpdateEntry, PresenceRecord | null>
  | Queued<'leave', LeaveEntry, PresenceRecord | null>;

export const leaseKeyOf = ({ channelId, lease }: LeaveEntry) =>
  `${channelId}:${lease.agentId}:${lease.sessionId}`;

function ofKind<K extends Change['kind']>(changes: readonly Change[], kind: K) {
  return changes.filter((change): change is Extract<Change, { kind: K }> => change.kind === kind);
}

/**
 * Sends the changes of one turn of the event loop together: joins, then states, then leaves, so that an agent that
 * replaces its connection stays online. A thousand changes take a few round trips.
 */
export function createChangeQueue(
  store: Pick<LeaseStore, 'joinMany' | 'updateMany' | 'leaveMany'>,
) {
  const queue: Change[] = [];
  let inFlight = 0;
  let immediate: NodeJS.Immediate | undefined;

  async function sendAll<E, T>(
    changes: readonly Queued<string, E, T>[],
    sendMany: (entries: readonly E[]) => Promise<(T | PresenceError)[]>,
  ): Promise<void> {
    if (changes.length === 0) return;
    const outcomes = await sendMany(changes.map(({ entry }) => entry)).catch((error: unknown) =>
      toUnavailable(PresenceError, error),
    );
    changes.forEach(({ done }, at) =>
      done(outcomes instanceof PresenceError ? outcomes : outcomes[at]!),
    );
  }

  async function sendSlice(slice: readonly Change[]): Promise<void> {
    await Promise.all([
      sendAll(ofKind(slice, 'join'), store.joinMany),
      sendAll(ofKind(slice, 'set'), store.updateMany),
      sendAll(ofKind(slice, 'leave'), store.leaveMany),
    ]);
  }

  /** A lease's leave and its next join must not be in one slice, because joins are sent first. */
  function takeSlice(): Change[] {
    const leaving = new Set<string>();
    let count = 0;
    for (const change of queue) {
      if (count === sliceMax) break;
      if (change.kind !== 'set') {
        const leaseKey = leaseKeyOf(change.entry);
        if (change.kind === 'leave') leaving.add(leaseKey);
        else if (leaving.has(leaseKey)) break;
      }
      count += 1;
    }
    return queue.splice(0, count);
  }

  function schedule(): void {
    if (immediate || queue.length === 0 || inFlight >= inFlightMax) return;
    immediate = setImmediate(() => {
      immediate = undefined;
      inFlight += 1;
      void sendSlice(takeSlice()).finally(() => {
        inFlight -= 1;
        schedule();
      });
      schedule();
    });
  }

  function add(change: Change): void {
    if (queue.length >= queuedMax) {
      return change.done(
        new PresenceError('unavailable', 'too many changes of presence wait for Redis'),
      );
    }
    queue.push(change);
    schedule();
  }

  return {
    get size() {
      return queue.length;
    },
    join: (entry: JoinEntry) =>
      new Promise<JoinOutcome | PresenceError>((done) => add({ kind: 'join', entry, done })),
    set: (entry: UpdateEntry) =>
      new Promise<PresenceRecord | null | PresenceError>((done) =>
        add({ kind: 'set', entry, done }),
      ),
    leave: (entry: LeaveEntry) =>
      new Promise<PresenceRecord | null | PresenceError>((done) =>
        add({ kind: 'leave', entry, done }),
      ),
  };
}
