import type { ReportViolation } from './ledger-violations.ts';
import { createSendLedger, type LogEntry, type SendLedger } from './send-ledger.ts';

export interface DeliveredEvent {
  readonly channelId: string | null;
  readonly seq: number | null;
  readonly id: string;
}

/** Every send must be stored once, and every subscriber must get every event once and in order. */
export interface Ledger {
  readonly sends: SendLedger;
  readonly deliveries: number;
  /** The subscriber must get every event of the channel after `last`. A repeated call does nothing. */
  follows(subscriber: string, channelId: string, last: number): void;
  /** The subscriber need not get any event from now on. */
  leaves(subscriber: string): void;
  delivered(subscriber: string, event: DeliveredEvent): void;
  discontinuity(
    subscriber: string,
    what: { channelId: string; head: number; reason: string },
  ): void;
  hasAll(channelId: string, head: number): boolean;
  /** Compares everything with the channel's log. Call it once per channel, when nothing is in flight. */
  settle(channelId: string, log: readonly LogEntry[]): void;
}

interface Cursor {
  last: number;
  /** Maps each missing seq to the time at which it was skipped. */
  readonly skipped: Map<number, number>;
}

/** Keeps about 100 bytes per event. Reports a violation as soon as it is certain. */
export function createLedger(report: ReportViolation): Ledger {
  const sends = createSendLedger(report);
  /** channelId → subscriber → its position. */
  const cursors = new Map<string, Map<string, Cursor>>();
  /** channelId → seq - 1 → the id of the first event that was delivered with this seq. */
  const deliveredIds = new Map<string, (string | undefined)[]>();
  let deliveries = 0;

  function idsOf(channelId: string) {
    let ids = deliveredIds.get(channelId);
    if (ids === undefined) deliveredIds.set(channelId, (ids = []));
    return ids;
  }

  function cursorsOf(channelId: string) {
    let of = cursors.get(channelId);
    if (of === undefined) cursors.set(channelId, (of = new Map()));
    return of;
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
        // A seq that was skipped before the subscriber left still counts as missing.
        if (cursor !== undefined && cursor.skipped.size === 0) of.delete(subscriber);
      }
    },
    delivered(subscriber, { channelId, seq, id }) {
      if (channelId === null || seq === null) return;
      deliveries += 1;
      const where = `${subscriber} in ${channelId} seq ${seq}`;
      const ids = idsOf(channelId);
      const known = (ids[seq - 1] ??= id);
      if (known !== id)
        report('divergent', `${where} got ${id}, another subscriber got ${known} at this seq`);
      let cursor = cursorsOf(channelId).get(subscriber);
      // A direct channel is delivered from its first event on, without a subscribe.
      if (cursor === undefined)
        cursorsOf(channelId).set(subscriber, (cursor = { last: 0, skipped: new Map() }));
      if (seq > cursor.last) {
        const nowMs = Date.now();
        for (let missed = cursor.last + 1; missed < seq; missed += 1)
          cursor.skipped.set(missed, nowMs);
        cursor.last = seq;
      } else if (cursor.skipped.delete(seq)) {
        report('disorder', `${where} came after ${cursor.last}`);
      } else {
        report('doubled', `${where} came again (last ${cursor.last})`);
      }
    },
    discontinuity(subscriber, { channelId, head, reason }) {
      report('discontinuity', `${subscriber} in ${channelId}: ${reason}, live from ${head + 1}`);
    },
    hasAll: (channelId, head) =>
      [...cursorsOf(channelId).values()].every(({ last }) => last >= head),
    settle(channelId, log) {
      log.forEach(({ seq }, index) => {
        if (seq !== index + 1)
          report('broken log', `${channelId} has seq ${seq} instead of ${index + 1}`);
      });
      idsOf(channelId).forEach((id, index) => {
        const logged = log[index]?.id;
        if (id === logged) return;
        report(
          'not logged',
          `${channelId} seq ${index + 1}: ${String(id)} was delivered, the log has ${logged ?? 'nothing'}`,
        );
      });
      for (const [subscriber, { last, skipped }] of cursorsOf(channelId)) {
        for (const [seq, atMs] of skipped)
          report('missing', `${subscriber} in ${channelId} seq ${seq} was skipped`, atMs);
        if (last < log.length)
          report(
            'missing',
            `${subscriber} in ${channelId}: nothing after ${last}, the log ends at ${log.length}`,
          );
      }
      sends.settle(channelId, log);
    },
  };
}
