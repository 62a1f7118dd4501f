export const ledgerViolations = {
  'not stored': 'an acknowledged send or change is not in the log at the acknowledged seq',
  'stored twice': 'one clientMessageId is in the log twice, or was acknowledged with two seqs',
  'broken log': 'the seqs of the log are not 1, 2, 3 …',
  'not logged': 'a delivered event is not in the log, or another event is at its seq',
  missing: 'a subscriber did not get an event',
  doubled: 'a subscriber got an event twice',
  disorder: 'a subscriber got an event after a later one',
  divergent: 'two subscribers got different events at one seq',
  discontinuity: 'a subscriber was told of a discontinuity, though no database was restored',
} as const;

/** `atMs` is in epoch milliseconds; by default, it is the current time. */
export type ReportViolation = (
  kind: keyof typeof ledgerViolations,
  text: string,
  atMs?: number,
) => void;
