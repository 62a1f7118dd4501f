import { isOutage, type RedisClientError, toClientError } from './errors.ts';
import type { SubscriberTransport, SubscriptionKind } from './transport.ts';

/** One handler of one topic. It is an object, so that the same function twice counts twice. */
export interface HandlerEntry {
  readonly handle: (message: string, topic: string) => void;
}

/** One SUBSCRIBE of one name that was sent. */
export interface SentSubscribe {
  confirmed: boolean;
}

/**
 * The names of one kind that have handlers, and the names that were sent to the server on this connection. It computes
 * the difference. It has no connection of its own.
 */
export interface SubscriptionSet {
  readonly kind: SubscriptionKind;
  readonly size: number;
  /** The number of names with handlers that Redis has not confirmed. */
  countUnconfirmed(): number;
  /** The handlers of a name. The array is replaced on change, so a message in progress keeps its handlers. */
  handlers(name: string): readonly HandlerEntry[];
  add(name: string, entry: HandlerEntry): void;
  /** True if the entry was there. */
  remove(name: string, entry: HandlerEntry): boolean;
  isConfirmed(name: string): boolean;
  /** Returns the changes to send. From now on they count as sent. */
  takeChanges(): {
    readonly add: ReadonlyMap<string, SentSubscribe>;
    readonly remove: readonly string[];
  };
  /** The server confirmed this SUBSCRIBE. */
  confirm(name: string, sent: SentSubscribe): void;
  /** The server refused this SUBSCRIBE or did not answer. The next changes contain it again. */
  retryLater(name: string, sent: SentSubscribe): void;
  /** The connection is lost, and with it all subscriptions. */
  reset(): void;
}

export function createSubscriptionSet(kind: SubscriptionKind): SubscriptionSet {
  const wanted = new Map<string, readonly HandlerEntry[]>();
  const sent = new Map<string, SentSubscribe>();
  const changed = new Set<string>();

  return {
    kind,
    get size() {
      return wanted.size;
    },
    countUnconfirmed() {
      let count = 0;
      for (const name of wanted.keys()) if (!sent.get(name)?.confirmed) count += 1;
      return count;
    },
    handlers: (name) => wanted.get(name) ?? [],
    add(name, entry) {
      const entries = wanted.get(name);
      wanted.set(name, [...(entries ?? []), entry]);
      if (!entries) changed.add(name);
    },
    remove(name, entry) {
      const entries = wanted.get(name);
      if (!entries?.includes(entry)) return false;
      const left = entries.filter((other) => other !== entry);
      if (left.length > 0) {
        wanted.set(name, left);
      } else {
        wanted.delete(name);
        changed.add(name);
      }
      return true;
    },
    isConfirmed: (name) => wanted.has(name) && sent.get(name)?.confirmed === true,
    takeChanges() {
      const add = new Map<string, SentSubscribe>();
      const remove: string[] = [];
      for (const name of changed) {
        // A name that was removed and added again in one turn needs no command.
        if (wanted.has(name) === sent.has(name)) continue;
        if (sent.delete(name)) remove.push(name);
        else add.set(name, { confirmed: false });
      }
      changed.clear();
      for (const [name, subscribe] of add) sent.set(name, subscribe);
      return { add, remove };
    },
    confirm(name, subscribe) {
      if (sent.get(name) === subscribe) subscribe.confirmed = true;
    },
    retryLater(name, subscribe) {
      if (sent.get(name) !== subscribe) return;
      sent.delete(name);
      if (wanted.has(name)) changed.add(name);
    },
    reset() {
      sent.clear();
      changed.clear();
      for (const name of wanted.keys()) changed.add(name);
    },
  };
}

// A SUBSCRIBE of this many names is answered well within the timeout of one command.
const namesPerCommand = 500;

export interface SyncResult {
  readonly confirmed: number;
  /** Names that Redis refused, with its error. */
  readonly refused: ReadonlyMap<string, RedisClientError>;
  /** True if some names got no answer although the connection may still be up. */
  readonly isIncomplete: boolean;
}

function chunksOf<T>(items: readonly T[]): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += namesPerCommand) {
    chunks.push(items.slice(start, start + namesPerCommand));
  }
  return chunks;
}

/** Sends the changes of `set` to the server, and reports the answers to `set`. Never rejects. */
export async function syncSubscriptions(
  transport: SubscriberTransport,
  set: SubscriptionSet,
): Promise<SyncResult> {
  const { add, remove } = set.takeChanges();
  const refused = new Map<string, RedisClientError>();
  let confirmed = 0;
  let isIncomplete = false;

  async function subscribe(entries: readonly (readonly [string, SentSubscribe])[]): Promise<void> {
    try {
      await transport.subscribe(
        set.kind,
        entries.map(([name]) => name),
      );
      for (const [name, sent] of entries) set.confirm(name, sent);
      confirmed += entries.length;
    } catch (thrown) {
      const error = toClientError(thrown);
      if (!isOutage(error) && entries.length > 1) {
        // One refused name makes Redis refuse the whole command, so each name is tried alone.
        await Promise.all(entries.map((entry) => subscribe([entry])));
        return;
      }
      for (const [name, sent] of entries) {
        set.retryLater(name, sent);
        if (!isOutage(error)) refused.set(name, error);
      }
      isIncomplete ||= isOutage(error);
    }
  }

  await Promise.all([
    ...chunksOf([...add]).map(subscribe),
    // Without an answer, messages that have no handler may arrive until the connection ends. That is harmless.
    ...chunksOf(remove).map((names) =>
      transport.unsubscribe(set.kind, names).then(
        () => undefined,
        () => undefined,
      ),
    ),
  ]);
  return { confirmed, refused, isIncomplete };
}
