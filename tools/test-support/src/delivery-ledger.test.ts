import { beforeEach, describe, expect, it } from '@jest/globals';
import { createDeliveryLedger, type DeliveryLedger } from './delivery-ledger.ts';

const watchers = ['w'];
const base = new Map([['c', 2]]);
let nowMs: number;
let ledger: DeliveryLedger;

beforeEach(() => {
  nowMs = 0;
  ledger = createDeliveryLedger(() => nowMs);
});

const ack = (seq: number) =>
  ledger.acked({ channelId: 'c', seq, messageId: `m${seq}`, content: `text ${seq}` });
const see = (seq: number, content = `text ${seq}`) =>
  ledger.saw('w', { channelId: 'c', seq, messageId: `m${seq}`, content });
const violations = () => ledger.violations(watchers, base);

describe('the ledger of deliveries', () => {
  it('has nothing to say when what was acked came once and in order', () => {
    for (const seq of [3, 4, 5]) {
      ack(seq);
      see(seq);
    }
    expect(violations()).toEqual([]);
    expect(ledger.owed(watchers)).toBe(0);
  });

  it.each([
    ['a hole', [3, 5], 'w: c seq 5 came after 3'],
    ['a repeat', [3, 4, 4], 'w: c seq 4 came after 4'],
    ['a disorder', [4, 3], 'w: c seq 4 came after 2'],
    ['a lost beginning', [5], 'w: c seq 5 came after 2'],
  ])('tells of %s', (_what, seqs, violation) => {
    for (const seq of seqs) see(seq, `text ${seq} ${Math.random()}`);
    expect(violations()).toContain(violation);
  });

  it('tells of an acked message that never came', () => {
    ack(3);
    see(3);
    ack(4);
    expect(ledger.owed(watchers)).toBe(1);
    expect(ledger.owed(watchers, 0)).toBe(0);
    expect(violations()).toEqual(['w: acked "text 4" is not at c/4']);
  });

  it('tells of an acked message whose place another one has', () => {
    ledger.acked({ channelId: 'c', seq: 3, messageId: 'other', content: 'mine' });
    see(3);
    expect(violations()).toEqual(['w: acked "mine" is not at c/3']);
  });

  it('tells of a message that was stored twice', () => {
    see(3, 'once');
    see(4, 'once');
    expect(violations()).toEqual(['w: "once" is there twice']);
  });

  it('tells of what it was told to blame', () => {
    ledger.blame('a socket was closed');
    expect(violations()).toEqual(['a socket was closed']);
  });

  it('measures from the ack to the last watcher, since the mark', () => {
    ack(3);
    nowMs = 500;
    see(3);
    ledger.mark();
    ack(4);
    nowMs = 530;
    see(4);
    expect(ledger.worstDelayMs(watchers)).toBe(30);
    ack(5);
    nowMs = 700;
    expect(ledger.worstDelayMs(watchers)).toBe(170);
  });
});
