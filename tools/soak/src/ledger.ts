import type { Envelope } from '@openclaw/protocol';
import { createSendBook, type SendBook } from './send-book.ts';
import type { Violations } from './violations.ts';

/** One event as the hub's log tells it at the end. */
export interface LogEntry {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly messageId: string | null;
  readonly clientMessageId: string | null;
}

/** The name under which a send's clientMessageId travels in its message's metadata. */
export const metadataKey = 'soak';

/** Every delivery to every subscriber, and every send with its outcome. */
export interface Ledger {
  readonly sends: SendBook;
  readonly deliveries: number;
  /** This subscriber is owed every event of the channel after `last`; nothing changes if it follows already. */
  follows(subscriber: string, channelId: string, last: number): void;
  /** This subscriber is owed nothing any more. */
  leaves(subscriber: string): void;
  delivered(subscriber: string, envelope: Envelope): void;
  discontinuity(
    subscriber: string,
    what: { channelId: string; head: number; reason: string },
  ): void;
  /** Whether every follower of the channel has seen `head`. */
  hasAll(channelId: string, head: number): boolean;
  /** Compares all with the channel's log. To be called once per channel, when nothing moves any more. */
  settle(channelId: string, log: readonly LogEntry[]): void;
}

interface Cursor {
  last: number;
  /** Seqs that were skipped, and when. */
  readonly skipped: Map<number, number>;
}

/** Creates an empty ledger. */
export function createLedger(violations: Violations): Ledger {
  const sends = createSendBook(violations);
  /** channelId → subscriber → what it saw. */
  const cursors = new Map<string, Map<string, Cursor>>();
  /** channelId → seq - 1 → the id that the first subscriber saw there. */
  const seen = new Map<string, (string | undefined)[]>();
  let deliveries = 0;

  function idsOf(channelId: string) {
    let ids = seen.get(channelId);
    if (ids === undefined) seen.set(channelId, (ids = []));
    return ids;
  }

  function cursorsOf(channelId: string) {
    let of = cursors.get(channelId);
    if (of === undefined) cursors.set(channelId, (of = new Map()));
    return of;
  }

  function compare(where: string, channelId: string, seq: number, id: string) {
    const ids = idsOf(channelId);
    const known = ids[seq - 1];
    if (known === undefined) ids[seq - 1] = id;
    else if (known !== id)
      violations.add('divergent', `${where} got ${id}, another got ${known} at the same seq`);
  }

  return {
    sends,
    get deliveries() {
      return deliveries;
    },
    follows(subscriber, channelId, last) {
      const of = cursorsOf(channelId);
      if (!of.has(subscriber)) of.set(subscriber, { last, skipped: new Map() });
    },
    leaves(subscriber) {
      for (const of of cursors.values()) {
        const cursor = of.get(subscriber);
        // What it skipped stays missing; what it was not yet sent is owed no more.
        if (cursor !== undefined && cursor.skipped.size === 0) of.delete(subscriber);
      }
    },
    delivered(subscriber, { channelId, seq, id }) {
      if (channelId === null || seq === null) return;
      deliveries += 1;
      const where = `${subscriber} in ${channelId} seq ${seq}`;
      compare(where, channelId, seq, id);
      let cursor = cursorsOf(channelId).get(subscriber);
      // A direct channel comes unasked, from its first event on.
      if (cursor === undefined)
        cursorsOf(channelId).set(subscriber, (cursor = { last: 0, skipped: new Map() }));
      if (seq > cursor.last) {
        const nowMs = Date.now();
        for (let missed = cursor.last + 1; missed < seq; missed += 1)
          cursor.skipped.set(missed, nowMs);
        cursor.last = seq;
      } else if (cursor.skipped.delete(seq)) {
        violations.add('disorder', `${where} came after ${cursor.last}`);
      } else {
        violations.add('doubled', `${where} came again (last ${cursor.last})`);
      }
    },
    discontinuity(subscriber, { channelId, head, reason }) {
      violations.add(
        'discontinuity',
        `${subscriber} in ${channelId}: ${reason}, live from ${head + 1}`,
      );
    },
    hasAll: (channelId, head) =>
      [...cursorsOf(channelId).values()].every((cursor) => cursor.last >= head),
    settle(channelId, log) {
      log.forEach(({ seq }, index) => {
        if (seq !== index + 1)
          violations.add('broken log', `${channelId} has seq ${seq} where ${index + 1} belongs`);
      });
      const head = log.length;
      const ids = idsOf(channelId);
      ids.forEach((id, index) => {
        const logged = log[index]?.id;
        if (id === logged) return;
        const there = logged === undefined ? 'nothing' : logged;
        violations.add(
          'not logged',
          `${channelId} seq ${index + 1}: ${String(id)} was delivered, the log has ${there}`,
        );
      });
      for (const [subscriber, { last, skipped }] of cursorsOf(channelId)) {
        for (const [seq, atMs] of skipped)
          violations.add('missing', `${subscriber} in ${channelId} seq ${seq} was skipped`, atMs);
        if (last < head)
          violations.add(
            'missing',
            `${subscriber} in ${channelId}: nothing after ${last}, the log ends at ${head}`,
          );
      }
      sends.settle(channelId, log);
    },
  };
}
