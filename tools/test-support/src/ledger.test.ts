import { beforeEach, describe, expect, it } from '@jest/globals';
import { createLedger, type Ledger } from './ledger.ts';
import type { LogEntry } from './send-ledger.ts';

// Negative control of every test and soak with the ledger: it must find each mistake of a hub.

const channelId = 'room';
let violations: { kind: string; text: string }[];
let ledger: Ledger;
beforeEach(() => {
  violations = [];
  ledger = createLedger((kind, text) => violations.push({ kind, text }));
  ledger.follows('ana/1', channelId, 0);
});

const event = (seq: number, id = `e${seq}`) => ({ channelId, seq, id });
const deliver = (...seqs: number[]) => seqs.forEach((seq) => ledger.delivered('ana/1', event(seq)));
const entry = (seq: number, more: Partial<LogEntry> = {}): LogEntry => ({
  seq,
  id: `e${seq}`,
  type: 'channel.message',
  messageId: `m${seq}`,
  clientMessageId: `c${seq}`,
  ...more,
});
const kinds = () => violations.map(({ kind }) => kind);
const ack = (cmid: string, seq: number, messageId = `m${seq}`) => {
  ledger.sends.sending(cmid);
  ledger.sends.acked(cmid, { channelId, seq, messageId, duplicate: false });
};

describe('the ledger', () => {
  it('finds nothing when everything is right', () => {
    ack('c1', 1);
    ack('c2', 2);
    deliver(1, 2, 3);
    ledger.settle(channelId, [entry(1), entry(2), entry(3)]);
    expect(kinds()).toEqual([]);
    expect(ledger.hasAll(channelId, 3)).toBe(true);
    expect(ledger.sends.totals).toMatchObject({ sends: 2, acked: 2, stored: 3 });
  });

  it('finds a loss in the middle', () => {
    deliver(1, 3);
    ledger.settle(channelId, [entry(1), entry(2), entry(3)]);
    expect(violations).toMatchObject([
      {
        kind: 'missing',
        text: 'ana/1 in room seq 2 was skipped',
      },
    ]);
  });

  it('finds a loss at the end', () => {
    deliver(1);
    expect(ledger.hasAll(channelId, 2)).toBe(false);
    ledger.settle(channelId, [entry(1), entry(2)]);
    expect(kinds()).toEqual(['missing']);
  });

  it('finds a subscriber that got nothing at all', () => {
    ledger.settle(channelId, [entry(1)]);
    expect(kinds()).toEqual(['missing']);
  });

  it('finds a double', () => {
    deliver(1, 2, 2);
    ledger.settle(channelId, [entry(1), entry(2)]);
    expect(kinds()).toEqual(['doubled']);
  });

  it('finds a disorder, and reports neither a loss nor a double', () => {
    deliver(1, 3, 2);
    ledger.settle(channelId, [entry(1), entry(2), entry(3)]);
    expect(kinds()).toEqual(['disorder']);
  });

  it('finds two subscribers with different events at one seq', () => {
    deliver(1);
    ledger.delivered('ben/1', event(1, 'other'));
    expect(kinds()).toEqual(['divergent']);
  });

  it('finds an event that was delivered and is not in the log', () => {
    deliver(1, 2);
    ledger.settle(channelId, [entry(1)]);
    expect(kinds()).toEqual(['not logged']);
  });

  it('finds an acknowledged send that is not stored, or another message in its place', () => {
    ack('c1', 1);
    ack('c2', 2);
    deliver(1);
    ledger.settle(channelId, [entry(1, { messageId: 'another', clientMessageId: 'another' })]);
    expect(kinds()).toEqual(['not stored', 'not stored']);
  });

  it('finds an acknowledged edit that is not stored', () => {
    deliver(1);
    ledger.sends.changed('channel.message.edit', { channelId, messageId: 'm1', seq: 2 });
    ledger.settle(channelId, [entry(1)]);
    expect(kinds()).toEqual(['not stored']);
  });

  it('finds a send that is stored twice, even if it was never acknowledged', () => {
    ledger.sends.sending('c1');
    ledger.sends.failed('c1');
    deliver(1, 2);
    ledger.settle(channelId, [entry(1), entry(2, { clientMessageId: 'c1' })]);
    expect(kinds()).toEqual(['stored twice']);
    expect(ledger.sends.totals).toMatchObject({ failed: 1, storedUnacked: 2 });
  });

  it('recognizes a deleted message by its acknowledgement', () => {
    ack('c1', 1);
    deliver(1, 2);
    ledger.settle(channelId, [
      entry(1, { clientMessageId: null }),
      entry(2, { clientMessageId: 'c1' }),
    ]);
    expect(kinds()).toEqual(['stored twice']);
  });

  it('finds a repeat acknowledged with another seq', () => {
    ack('c1', 1);
    ledger.sends.acked('c1', { channelId, seq: 2, messageId: 'm2', duplicate: false });
    expect(kinds()).toEqual(['stored twice']);
  });

  it('finds a hole and a double in the log itself', () => {
    ledger.leaves('ana/1');
    ledger.settle(channelId, [entry(1), entry(3), entry(3)]);
    expect(kinds()).toContain('broken log');
  });

  it('reports every discontinuity', () => {
    ledger.discontinuity('ana/1', { channelId, head: 7, reason: 'behind' });
    expect(kinds()).toEqual(['discontinuity']);
  });

  it('expects nothing of a subscriber that left, apart from what it had skipped', () => {
    deliver(1, 3);
    ledger.follows('ben/1', channelId, 0);
    ledger.leaves('ana/1');
    ledger.leaves('ben/1');
    ledger.settle(channelId, [entry(1), entry(2), entry(3), entry(4)]);
    expect(violations.map(({ text }) => text)).toContain('ana/1 in room seq 2 was skipped');
    expect(violations.filter(({ text }) => text.startsWith('ben'))).toEqual([]);
  });
});
