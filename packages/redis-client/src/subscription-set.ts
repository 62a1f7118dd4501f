import type { SubscriptionKind } from './subscriber-transport.ts';

/** One handler of one topic; an object, so that the same function twice counts twice. */
export interface HandlerEntry {
  readonly handle: (message: string, topic: string) => void;
}

/** One SUBSCRIBE of one name, as far as the server has got with it. */
export interface Told {
  confirmed: boolean;
}

/**
 * The names of one kind that someone handles, beside those that the server was told on this connection. Knows no
 * connection itself: it says what differs, and is told what became of it.
 */
export interface SubscriptionSet {
  readonly kind: SubscriptionKind;
  readonly size: number;
  /** How many names someone handles without Redis having confirmed them. */
  countUnconfirmed(): number;
  /** The handlers of a name; copied on change, so that a message goes to those present when it came. */
  handlers(name: string): readonly HandlerEntry[];
  add(name: string, entry: HandlerEntry): void;
  /** Whether the entry was still there. */
  remove(name: string, entry: HandlerEntry): boolean;
  isConfirmed(name: string): boolean;
  /** What has to be sent now; from here on it counts as told. */
  takeChanges(): { readonly add: ReadonlyMap<string, Told>; readonly remove: readonly string[] };
  /** The server has confirmed this telling. */
  confirm(name: string, told: Told): void;
  /** The server refused this telling, or did not answer: it will be taken again. */
  forget(name: string, told: Told): void;
  /** The connection is gone, and with it all that the server was told. */
  forgetAll(): void;
}

/** Makes an empty {@link SubscriptionSet}. */
export function createSubscriptionSet(kind: SubscriptionKind): SubscriptionSet {
  const wanted = new Map<string, readonly HandlerEntry[]>();
  const told = new Map<string, Told>();
  const changed = new Set<string>();

  return {
    kind,
    get size() {
      return wanted.size;
    },
    countUnconfirmed() {
      let count = 0;
      for (const name of wanted.keys()) if (!told.get(name)?.confirmed) count += 1;
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
    isConfirmed: (name) => wanted.has(name) && told.get(name)?.confirmed === true,
    takeChanges() {
      const add = new Map<string, Told>();
      const remove: string[] = [];
      for (const name of changed) {
        // Removed and wanted again in one turn: the server never hears of it.
        if (wanted.has(name) === told.has(name)) continue;
        if (told.delete(name)) remove.push(name);
        else add.set(name, { confirmed: false });
      }
      changed.clear();
      for (const [name, telling] of add) told.set(name, telling);
      return { add, remove };
    },
    confirm(name, telling) {
      if (told.get(name) === telling) telling.confirmed = true;
    },
    forget(name, telling) {
      if (told.get(name) !== telling) return;
      told.delete(name);
      if (wanted.has(name)) changed.add(name);
    },
    forgetAll() {
      told.clear();
      changed.clear();
      for (const name of wanted.keys()) changed.add(name);
    },
  };
}
