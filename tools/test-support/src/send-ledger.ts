import type { ReportViolation } from './ledger-violations.ts';

export interface LogEntry {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly messageId: string | null;
  readonly clientMessageId: string | null;
}

export interface SendResult {
  readonly channelId: string;
  readonly messageId: string;
  readonly seq: number;
}

export interface SendTotals {
  readonly sends: number;
  readonly acked: number;
  /** Counts sends that were never acknowledged: they were refused, or the outcome is unknown. */
  readonly failed: number;
  readonly storedUnacked: number;
  readonly stored: number;
  readonly repeats: number;
  readonly errors: ReadonlyMap<string, number>;
}

/** The ledger keeps every send by its clientMessageId, and every acknowledged change of a message. */
export interface SendLedger {
  readonly totals: SendTotals;
  readonly open: number;
  sending(clientMessageId: string): void;
  acked(clientMessageId: string, result: SendResult & { readonly duplicate: boolean }): void;
  /** A call failed with this code, and may be retried. */
  erred(code: string): void;
  /** The send failed and is not retried. */
  failed(clientMessageId: string): void;
  /** An edit, a deletion or a reaction was acknowledged. */
  changed(type: string, result: SendResult): void;
  settle(channelId: string, log: readonly LogEntry[]): void;
}

export function createSendLedger(report: ReportViolation): SendLedger {
  const sends = new Map<string, SendResult | null>();
  const failedIds = new Set<string>();
  const cmidByMessageId = new Map<string, string>();
  const changes = new Map<string, (SendResult & { readonly type: string })[]>();
  const errors = new Map<string, number>();
  const totals = { sends: 0, acked: 0, failed: 0, storedUnacked: 0, stored: 0, repeats: 0, errors };

  function checkAcked(channelId: string, log: readonly LogEntry[]) {
    for (const [cmid, result] of sends) {
      if (result?.channelId !== channelId) continue;
      const entry = log[result.seq - 1];
      if (entry?.messageId === result.messageId && entry.type.endsWith('.message')) continue;
      const there = entry === undefined ? 'nothing' : `${entry.type} ${entry.messageId}`;
      report(
        'not stored',
        `${cmid} was acknowledged as ${result.messageId} at ${channelId} seq ${result.seq}, but the log has ${there}`,
      );
    }
    for (const { type, seq, messageId } of changes.get(channelId) ?? []) {
      const entry = log[seq - 1];
      if (entry?.messageId === messageId && entry.type === type) continue;
      report(
        'not stored',
        `${type} of ${messageId} was acknowledged at ${channelId} seq ${seq}, but the log has ${entry?.type ?? 'nothing'}`,
      );
    }
  }

  function checkOnce(channelId: string, log: readonly LogEntry[]) {
    const seqs = new Map<string, number>();
    for (const { seq, type, messageId, clientMessageId } of log) {
      if (type !== 'channel.message' || messageId === null) continue;
      totals.stored += 1;
      // A deleted message has lost its clientMessageId. The ledger knows it from the acknowledgement of the send.
      const cmid = clientMessageId ?? cmidByMessageId.get(messageId);
      if (cmid === undefined) continue;
      const before = seqs.get(cmid);
      if (before !== undefined)
        report('stored twice', `${cmid} is at ${channelId} seq ${before} and ${seq}`);
      seqs.set(cmid, seq);
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
          report(
            'stored twice',
            `${cmid} was acknowledged at ${channelId} seq ${before.seq}, then at ${seq}`,
          );
        return;
      }
      sends.set(cmid, { channelId, messageId, seq });
      cmidByMessageId.set(messageId, cmid);
      totals.acked += 1;
    },
    erred(code) {
      errors.set(code, (errors.get(code) ?? 0) + 1);
    },
    failed(cmid) {
      if (failedIds.has(cmid) || sends.get(cmid)) return;
      failedIds.add(cmid);
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
