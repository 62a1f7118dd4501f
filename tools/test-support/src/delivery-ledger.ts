/** What one watcher saw of one durable event. */
export interface SeenEvent {
  readonly channelId: string;
  readonly seq: number;
  /** Of a message's creation; null for every other event. */
  readonly messageId: string | null;
  readonly content: string | null;
}

/** What the hub answered to a send. */
export interface AckedMessage {
  readonly channelId: string;
  readonly seq: number;
  readonly messageId: string;
  readonly content: string;
}

/** The books of a run: what was acknowledged, and what each watcher saw, with the time of each. */
export interface DeliveryLedger {
  acked(message: AckedMessage): void;
  saw(watcher: string, event: SeenEvent): void;
  /** Something that must not happen, seen by whoever keeps the books. */
  blame(what: string): void;
  readonly ackedCount: number;
  /** Acked messages that these watchers have not all seen; of the first `count` alone, if that is given. */
  owed(watchers: readonly string[], count?: number): number;
  /**
   * Every breach of "once and in order": a hole, a repeat, an acked message at another place, a message stored twice.
   * Empty when all is well. `base` is the seq before a channel's first event that a watcher should have seen.
   */
  violations(watchers: readonly string[], base: ReadonlyMap<string, number>): string[];
  /** From here on {@link DeliveryLedger.worstDelayMs} counts. */
  mark(): void;
  /** The longest time from a message's ack to its arrival at the last watcher, of messages acked since the mark. */
  worstDelayMs(watchers: readonly string[]): number;
}

interface Entry extends AckedMessage {
  readonly ackedAtMs: number;
}

/** Opens empty books. */
export function createDeliveryLedger(now: () => number = () => performance.now()): DeliveryLedger {
  const acks: Entry[] = [];
  const seen = new Map<string, SeenEvent[]>();
  const arrivals = new Map<string, Map<string, number>>();
  const blames: string[] = [];
  let markedMs = 0;

  const hasArrived = (messageId: string, watcher: string) =>
    arrivals.get(messageId)?.has(watcher) === true;

  function ofWatcher(watcher: string, base: ReadonlyMap<string, number>): string[] {
    const found: string[] = [];
    const heads = new Map(base);
    const contents = new Set<string>();
    const places = new Map<string, string>();
    for (const { channelId, seq, messageId, content } of seen.get(watcher) ?? []) {
      const last = heads.get(channelId) ?? 0;
      if (seq !== last + 1) found.push(`${watcher}: ${channelId} seq ${seq} came after ${last}`);
      heads.set(channelId, Math.max(last, seq));
      if (messageId === null || content === null) continue;
      places.set(`${channelId}/${seq}`, messageId);
      if (contents.has(content)) found.push(`${watcher}: "${content}" is there twice`);
      contents.add(content);
    }
    for (const { channelId, seq, messageId, content } of acks) {
      if (places.get(`${channelId}/${seq}`) === messageId) continue;
      found.push(`${watcher}: acked "${content}" is not at ${channelId}/${seq}`);
    }
    return found;
  }

  return {
    acked(message) {
      acks.push({ ...message, ackedAtMs: now() });
    },
    saw(watcher, event) {
      const events = seen.get(watcher);
      if (events) events.push(event);
      else seen.set(watcher, [event]);
      if (event.messageId === null) return;
      let times = arrivals.get(event.messageId);
      if (!times) arrivals.set(event.messageId, (times = new Map()));
      if (!times.has(watcher)) times.set(watcher, now());
    },
    blame(what) {
      if (blames.length < 100) blames.push(what);
    },
    get ackedCount() {
      return acks.length;
    },
    owed: (watchers, count = acks.length) =>
      acks
        .slice(0, count)
        .filter(({ messageId }) => !watchers.every((watcher) => hasArrived(messageId, watcher)))
        .length,
    violations: (watchers, base) => [
      ...blames,
      ...watchers.flatMap((watcher) => ofWatcher(watcher, base)),
    ],
    mark() {
      markedMs = now();
    },
    worstDelayMs(watchers) {
      let worst = 0;
      for (const { messageId, ackedAtMs } of acks) {
        if (ackedAtMs < markedMs) continue;
        for (const watcher of watchers) {
          const arrivedMs = arrivals.get(messageId)?.get(watcher);
          worst = Math.max(worst, (arrivedMs ?? now()) - ackedAtMs);
        }
      }
      return Math.round(worst);
    },
  };
}
