import type { LogEntry } from './ledger.ts';
import type { Violations } from './violations.ts';

/** What a hub answered to a send. */
export interface SendResult {
  readonly channelId: string;
  readonly messageId: string;
  readonly seq: number;
}

/** What became of the sends. */
export interface SendTotals {
  readonly sends: number;
  readonly acked: number;
  /** Never acknowledged: refused, or nobody knows. */
  readonly failed: number;
  /** Of those that were never acknowledged, how many are in the log all the same. */
  readonly storedUnacked: number;
  /** Messages in the settled logs. */
  readonly stored: number;
  /** Answers to a repeat that said it was one. */
  readonly repeats: number;
  /** How often a call failed, by the error's code. */
  readonly errors: ReadonlyMap<string, number>;
}

/** Every send with its clientMessageId and its outcome, and every acknowledged change beside. */
export interface SendBook {
  readonly totals: SendTotals;
  /** How many sends have no outcome yet. */
  readonly open: number;
  sending(clientMessageId: string): void;
  acked(clientMessageId: string, result: SendResult & { readonly duplicate: boolean }): void;
  /** One call failed; it may be tried again. */
  erred(code: string): void;
  /** It is not tried again. */
  failed(clientMessageId: string): void;
  /** Another change was acknowledged: an edit, a deletion, a reaction. */
  changed(type: string, result: SendResult): void;
  settle(channelId: string, log: readonly LogEntry[]): void;
}

/** Creates an empty book. */
export function createSendBook(violations: Violations): SendBook {
  /** clientMessageId → its result, null while there is none. */
  const sends = new Map<string, SendResult | null>();
  const over = new Set<string>();
  const cmidOfMessage = new Map<string, string>();
  /** channelId → the changes acknowledged there. */
  const changes = new Map<string, (SendResult & { readonly type: string })[]>();
  const errors = new Map<string, number>();
  const totals = { sends: 0, acked: 0, failed: 0, storedUnacked: 0, stored: 0, repeats: 0, errors };

  function checkAcked(channelId: string, log: readonly LogEntry[]) {
    for (const [cmid, result] of sends) {
      if (result?.channelId !== channelId) continue;
      const entry = log[result.seq - 1];
      if (entry?.messageId === result.messageId && entry.type.endsWith('.message')) continue;
      const there = entry === undefined ? 'nothing' : `${entry.type} ${entry.messageId}`;
      violations.add(
        'not stored',
        `${cmid} was acknowledged as ${result.messageId} at ${channelId} seq ${result.seq}, where the log has ${there}`,
      );
    }
    for (const { type, seq, messageId } of changes.get(channelId) ?? []) {
      const entry = log[seq - 1];
      if (entry?.messageId === messageId && entry.type === type) continue;
      violations.add(
        'not stored',
        `${type} of ${messageId} was acknowledged at ${channelId} seq ${seq}, where the log has ${entry?.type ?? 'nothing'}`,
      );
    }
  }

  function checkOnce(channelId: string, log: readonly LogEntry[]) {
    const places = new Map<string, number>();
    for (const { seq, type, messageId, clientMessageId } of log) {
      if (type !== 'channel.message' || messageId === null) continue;
      totals.stored += 1;
      // A deleted message says its id no more, but its acknowledgement did.
      const cmid = clientMessageId ?? cmidOfMessage.get(messageId);
      if (cmid === undefined) continue;
      const before = places.get(cmid);
      if (before !== undefined)
        violations.add('stored twice', `${cmid} is at ${channelId} seq ${before} and ${seq}`);
      places.set(cmid, seq);
      if (sends.get(cmid) === null) totals.storedUnacked += 1;
    }
  }

  return {
    totals,
    get open() {
      return totals.sends - totals.acked - totals.failed;
    },
    sending(cmid) {
      totals.sends += 1;
      sends.set(cmid, null);
    },
    acked(cmid, { duplicate, channelId, messageId, seq }) {
      if (duplicate) totals.repeats += 1;
      const before = sends.get(cmid);
      if (before) {
        if (before.seq !== seq || before.messageId !== messageId)
          violations.add(
            'stored twice',
            `${cmid} was acknowledged at ${channelId} seq ${before.seq}, then at ${seq}`,
          );
        return;
      }
      sends.set(cmid, { channelId, messageId, seq });
      cmidOfMessage.set(messageId, cmid);
      totals.acked += 1;
    },
    erred(code) {
      errors.set(code, (errors.get(code) ?? 0) + 1);
    },
    failed(cmid) {
      if (over.has(cmid) || sends.get(cmid)) return;
      over.add(cmid);
      totals.failed += 1;
    },
    changed(type, result) {
      const of = changes.get(result.channelId);
      if (of) of.push({ ...result, type });
      else changes.set(result.channelId, [{ ...result, type }]);
    },
    settle(channelId, log) {
      checkAcked(channelId, log);
      checkOnce(channelId, log);
    },
  };
}
