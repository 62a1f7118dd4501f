import { beforeEach, describe, expect, it } from '@jest/globals';
import { createWireTap, type WireTap } from './wire-tap.ts';

let tap: WireTap;
let reports: string[];
let subscribed: string[];
beforeEach(() => {
  reports = [];
  subscribed = [];
  tap = createWireTap(
    (kind, text) => reports.push(`${kind}: ${text}`),
    (channelId) => subscribed.push(channelId),
  );
  tap.opened();
});

const event = (seq: number | null, channelId = 'room') => ({
  method: 'event',
  params: { channelId, seq },
});
function subscribe(since: number | null, head: number, seqs: readonly number[], resumed = true) {
  tap.sent(
    JSON.stringify({
      id: 1,
      method: 'subscribe',
      params: { topics: [{ channelId: 'room', since }] },
    }),
  );
  const events = seqs.map((seq) => ({ seq }));
  tap.received({ id: 1, result: { topics: [{ channelId: 'room', head, resumed, events }] } });
}

describe('the wire tap', () => {
  it('accepts consecutive events, one or several in a frame', () => {
    subscribe(2, 4, [3, 4]);
    tap.received(event(5));
    tap.received([event(6), event(null), event(7)]);
    expect(reports).toEqual([]);
  });

  it('tells which channels an answer subscribed, and leaves out refused ones', () => {
    const topics = [{ channelId: 'room' }, { channelId: 'full' }];
    tap.sent(JSON.stringify({ id: 7, method: 'subscribe', params: { topics } }));
    expect(subscribed).toEqual([]);
    const refused = { channelId: 'full', error: { code: 'unavailable' } };
    tap.received({ id: 7, result: { topics: [{ channelId: 'room', head: 3 }, refused] } });
    expect(subscribed).toEqual(['room']);
  });

  it('reports a gap, which the SDK would fill', () => {
    subscribe(0, 0, []);
    tap.received([event(1), event(3)]);
    expect(reports).toEqual(['wire gap: room: 3 came after 1']);
  });

  it('reports a double, which the SDK would drop', () => {
    subscribe(0, 0, []);
    tap.received([event(1), event(1)]);
    expect(reports).toEqual(['wire double: room: 1 came after 1']);
  });

  it('reports a resume with a hole, and one that ends before its head', () => {
    subscribe(0, 3, [1, 3]);
    subscribe(0, 3, [1, 2]);
    expect(reports).toHaveLength(2);
  });

  it('resets at a new connection, at a discontinuity and for a new direct channel', () => {
    subscribe(0, 0, []);
    tap.received(event(1));
    tap.opened();
    tap.received(event(9));
    subscribe(9, 12, [10, 11, 12]);
    tap.received({ method: 'discontinuity', params: { channelId: 'room', head: 20 } });
    tap.received(event(21));
    const direct = `dm_${'0'.repeat(32)}`;
    tap.received([event(1, direct), event(2, direct)]);
    expect(reports).toEqual([]);
    tap.received(event(4, direct));
    expect(reports).toHaveLength(1);
  });

  it('starts a direct channel at the head in the welcome', () => {
    tap.received({ method: 'welcome', params: { direct: [{ channelId: 'room', head: 5 }] } });
    tap.received(event(6));
    expect(reports).toEqual([]);
    tap.received(event(8));
    expect(reports).toHaveLength(1);
  });
});
