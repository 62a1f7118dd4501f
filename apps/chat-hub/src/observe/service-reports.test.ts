import { describe, expect, it } from '@jest/globals';
import { ChatStoreError, type CallKind, type ChatStoreErrorCode } from '@openclaw/chat-store';
import { createDatabaseState } from './service-reports.ts';
import { createMetrics } from './metrics.ts';

function bench() {
  let nowMs = 10_000;
  const lines: { readonly message: string; readonly details: object }[] = [];
  const log = { warn: (details: object, message: string) => void lines.push({ message, details }) };
  const metrics = createMetrics();
  const state = createDatabaseState({ metrics, log: log as never }, () => nowMs);
  return {
    state,
    lines,
    metrics,
    wait: (ms: number) => void (nowMs += ms),
    answer: (kind: CallKind) => state.onCall({ kind, durationMs: 1, failure: null }),
    fail: (kind: CallKind, code: ChatStoreErrorCode = 'unavailable', durationMs = 1) =>
      state.onCall({ kind, durationMs, failure: new ChatStoreError(code, 'away') }),
  };
}

describe('the state of the database', () => {
  it('is down once failures last, and logs each change once, with its reason and duration', () => {
    const { state, lines, wait, answer, fail } = bench();
    fail('system');
    expect([state.isUp, lines]).toEqual([true, []]);
    wait(300);
    for (let i = 0; i < 5; i++) fail('system');
    expect(state.isUp).toBe(false);
    wait(1_000);
    answer('system');
    answer('read');
    expect(state.isUp).toBe(true);
    expect(lines).toEqual([
      {
        message: 'the database is down',
        details: { side: 'reads', code: 'unavailable', reason: 'away' },
      },
      { message: 'the database answers again', details: { downMs: 1_301 } },
    ]);
  });

  it('does not take one failure between answers for an outage', () => {
    const { state, wait, answer, fail } = bench();
    for (let i = 0; i < 5; i++) {
      fail('commit', 'locked', 2_000);
      wait(300);
      answer('write');
    }
    expect(state.isUp).toBe(true);
  });

  it('is down at the first failure of a call that waited long', () => {
    const { state, fail } = bench();
    fail('system', 'timeout', 2_900);
    expect(state.isUp).toBe(false);
  });

  // The fault: the disk is full, so every write fails while reads are answered.
  it('is down while only writes fail', () => {
    const { state, wait, answer, fail } = bench();
    fail('commit');
    wait(300);
    answer('system');
    fail('commit');
    answer('system');
    expect(state.isUp).toBe(false);
    answer('write');
    expect(state.isUp).toBe(true);
  });

  it('counts calls that timed out in the store as failures, but not refusals by its own limits', () => {
    const { state, wait } = bench();
    for (const code of ['rate_limited', 'closed', 'internal'] as const) {
      state.failed('reads', new ChatStoreError(code, 'own'));
      wait(300);
    }
    expect(state.isUp).toBe(true);
    state.failed('reads', new ChatStoreError('unavailable', 'late'));
    wait(300);
    state.failed('reads', new ChatStoreError('unavailable', 'late'));
    expect(state.isUp).toBe(false);
  });

  it('counts failures by code', async () => {
    const { metrics, fail } = bench();
    fail('read', 'timeout');
    fail('commit', 'unwritable');
    const { values } = await metrics.databaseFailures.get();
    expect(values.filter(({ value }) => value > 0).map(({ labels }) => labels.code)).toEqual([
      'timeout',
      'unwritable',
    ]);
  });
});
