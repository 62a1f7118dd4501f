import { PresenceError } from './errors.ts';
import type { JoinEntry, JoinOutcome, LeaveEntry, LeaseStore, UpdateEntry } from './presence.ts';
import type { PresenceRecord } from './state.ts';

/** The most operations sent in one turn of the event loop, and the most such slices unanswered. */
const sliceMax = 250;
const inFlightMax = 8;
/** The most operations that wait; a further one fails at once, as if the store were away. */
const waitingMax = 100_000;

/** One thing to tell the store, and what to do with its answer. */
export type Operation =
  | {
      readonly kind: 'join';
      readonly entry: JoinEntry;
      done(outcome: JoinOutcome | PresenceError): void;
    }
  | {
      readonly kind: 'set';
      readonly entry: UpdateEntry;
      done(outcome: PresenceRecord | null | PresenceError): void;
    }
  | {
      readonly kind: 'leave';
      readonly entry: LeaveEntry;
      done(outcome: PresenceRecord | null | PresenceError): void;
    };

type Of<K extends Operation['kind']> = Extract<Operation, { kind: K }>;

const ofKind = <K extends Operation['kind']>(operations: readonly Operation[], kind: K) =>
  operations.filter((operation): operation is Of<K> => operation.kind === kind);

const asError = (error: unknown) =>
  error instanceof PresenceError
    ? error
    : new PresenceError('unavailable', 'presence could not reach Redis', error);

/**
 * Sends what one turn of the event loop brings together: joins, then states, then leaves, so that an agent whose
 * connection is replaced never seems to go. A thousand subscriptions at once become a few round trips.
 */
export function createOutbox(store: Pick<LeaseStore, 'joinMany' | 'updateMany' | 'leaveMany'>) {
  const waiting: Operation[] = [];
  let taken = 0;
  let inFlight = 0;
  let immediate: NodeJS.Immediate | undefined;

  /** Sends operations of one kind in one round trip and hands each its outcome. */
  async function sendAll<E, T>(
    operations: readonly { readonly entry: E; done(outcome: T | PresenceError): void }[],
    many: (entries: readonly E[]) => Promise<(T | PresenceError)[]>,
  ): Promise<void> {
    if (operations.length === 0) return;
    const outcomes = await many(operations.map(({ entry }) => entry)).catch(asError);
    operations.forEach((operation, at) =>
      operation.done(outcomes instanceof PresenceError ? outcomes : outcomes[at]!),
    );
  }

  async function send(slice: readonly Operation[]): Promise<void> {
    await Promise.all([
      sendAll(ofKind(slice, 'join'), store.joinMany),
      sendAll(ofKind(slice, 'set'), store.updateMany),
      sendAll(ofKind(slice, 'leave'), store.leaveMany),
    ]);
  }

  /** The next operations that may go together: a lease's join and its leave in one slice would change places. */
  function takeSlice(): Operation[] {
    const slice: Operation[] = [];
    const leaving = new Set<string>();
    while (taken < waiting.length && slice.length < sliceMax) {
      const operation = waiting[taken]!;
      if (operation.kind !== 'set') {
        const { channelId, lease } = operation.entry;
        const name = `${channelId}:${lease.agentId}:${lease.sessionId}`;
        if (operation.kind === 'leave') leaving.add(name);
        else if (leaving.has(name)) break;
      }
      slice.push(operation);
      taken += 1;
    }
    if (taken === waiting.length || taken >= waitingMax) {
      waiting.splice(0, taken);
      taken = 0;
    }
    return slice;
  }

  function schedule(): void {
    if (immediate || waiting.length === 0 || inFlight >= inFlightMax) return;
    immediate = setImmediate(() => {
      immediate = undefined;
      inFlight += 1;
      void send(takeSlice()).finally(() => {
        inFlight -= 1;
        schedule();
      });
      schedule();
    });
  }

  return {
    get waiting() {
      return waiting.length - taken;
    },
    put(operation: Operation): void {
      if (waiting.length - taken >= waitingMax) {
        operation.done(new PresenceError('unavailable', 'too many changes wait to be sent'));
        return;
      }
      waiting.push(operation);
      schedule();
    },
  };
}
