import type { SubscriptionKind } from './transport.ts';

/** Called synchronously, in Redis' order. Errors that it throws are logged. */
export type MessageHandler = (message: string, topic: string) => void;

/** Each `subscribe` call has its own object, so the same function can be registered twice. */
export interface HandlerEntry {
  readonly handle: MessageHandler;
  /** True once `subscribe` has resolved. A later refusal of the topic is logged. */
  isAccepted?: boolean;
}

export interface SentSubscribe {
  confirmed: boolean;
}

export type SubscriptionSet = ReturnType<typeof createSubscriptionSet>;

/**
 * Computes the difference between the names with handlers and the names that were sent on this connection. Sends
 * nothing.
 */
export function createSubscriptionSet(kind: SubscriptionKind) {
  const wanted = new Map<string, readonly HandlerEntry[]>();
  const sent = new Map<string, SentSubscribe>();
  const changed = new Set<string>();
  const isUnconfirmed = (name: string) => wanted.has(name) && sent.get(name)?.confirmed !== true;

  return {
    kind,
    get size() {
      return wanted.size;
    },
    countUnconfirmed() {
      let count = 0;
      for (const name of wanted.keys()) if (isUnconfirmed(name)) count += 1;
      return count;
    },
    isUnconfirmed,
    /** The array is replaced on change, so a message in progress keeps its handlers. */
    handlers: (name: string): readonly HandlerEntry[] => wanted.get(name) ?? [],
    add(name: string, entry: HandlerEntry) {
      const entries = wanted.get(name);
      wanted.set(name, [...(entries ?? []), entry]);
      if (!entries) changed.add(name);
    },
    remove(name: string, entry: HandlerEntry): boolean {
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
    /** Returns the changes to send, and counts them as sent. */
    takeChanges() {
      const add = new Map<string, SentSubscribe>();
      const remove: string[] = [];
      for (const name of changed) {
        // A name that was removed and added again needs no command.
        if (wanted.has(name) === sent.has(name)) continue;
        if (sent.delete(name)) remove.push(name);
        else add.set(name, { confirmed: false });
      }
      changed.clear();
      for (const [name, subscribe] of add) sent.set(name, subscribe);
      return { add, remove };
    },
    confirm(name: string, subscribe: SentSubscribe) {
      if (sent.get(name) === subscribe) subscribe.confirmed = true;
    },
    /** Call it when the server refused this SUBSCRIBE or did not answer. The next changes contain it again. */
    retryLater(name: string, subscribe: SentSubscribe) {
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
