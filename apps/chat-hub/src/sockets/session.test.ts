import { describe, expect, it, jest } from '@jest/globals';
import { limits, type ChannelEvent } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { createSessionBench, fallBehind } from '../testing/session-bench.ts';
import { range, seqsOf } from '../testing/seqs.ts';
import { createUnsentBudget } from './unsent-budget.ts';

const leaveOfBen: ChannelEvent = {
  type: 'channel.member.leave',
  channelId: 'c',
  member: {
    channelId: 'c',
    agentId: 'ben',
    kind: null,
    role: 'member',
    displayName: null,
    joinedAt: 1,
  },
};

describe('a socket that read too slowly', () => {
  it('gets everything once and in order though the store fails while it catches up', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    const last = await fallBehind(bench);
    bench.onNextPage(() => Promise.reject(new Error('the database is away')));
    bench.peer.read();
    await waitFor(() => bench.peer.seqs.at(-1) === last && !bench.session.isLagging, {
      what: 'all events',
    });
    const live = bench.publish(1);
    await bench.turn();
    expect(bench.peer.seqs).toEqual(range(1, live));
  });

  it('counts events as delivered only when it gets them', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    const last = await fallBehind(bench);
    const before = bench.flusher.deliveries;
    bench.publish(100);
    await bench.turn();
    expect(bench.flusher.deliveries).toBe(before);
    bench.peer.read();
    await waitFor(() => !bench.session.isLagging, { what: 'the end of lagging' });
    expect(bench.flusher.deliveries).toBe(last + 100);
  });

  // The race: the peer floods the hub with cheap calls and does not read the answers.
  it('is not read until it has caught up', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    await fallBehind(bench);
    expect(bench.peer.isRead).toBe(false);
    bench.peer.read();
    await waitFor(() => !bench.session.isLagging, { what: 'the end of lagging' });
    expect(bench.peer.isRead).toBe(true);
  });

  // The race: the socket falls behind during a batch. Until the batch ends, its answers are buffered, and the catch-up
  // waits. If a call with a large answer waited for the catch-up, the batch would never end. Invariant: every call
  // ends.
  it('does not make the calls of a batch wait for the end of that batch', async () => {
    const bench = createSessionBench({ protocol: '' });
    bench.session.enter(bench.room);
    await fallBehind(bench);
    const before = bench.session.whenDrained();
    const release = bench.session.buffer();
    const within = bench.session.whenDrained();
    bench.peer.read();
    expect(await Promise.all([before, within])).toEqual([true, true]);
    release([Buffer.from('[{"id":"batch"}]')]);
    await waitFor(() => bench.peer.objects.some(({ id }) => id === 'batch'), {
      what: 'the answers',
    });
    await waitFor(() => !bench.session.isLagging, { what: 'the end of lagging' });
  });

  // The race: over a slow connection, one answer takes longer than half a minute. If the hub closed the socket
  // meanwhile, the client would request the same answer again and again.
  it('is not closed while it reads anything, even if that takes long', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      const bench = createSessionBench();
      bench.peer.isReading = false;
      const answers = Array.from({ length: 90 }, (_, id) => ({ id, result: 'x'.repeat(60_000) }));
      for (const answer of answers) bench.session.send(JSON.stringify(answer));
      while (!bench.session.isLagging) await bench.turn();
      for (let minute = 1; minute <= 3; minute++) {
        for (let taken = 1; taken <= 16; taken++) {
          bench.peer.take();
          await new Promise((resolve) => setImmediate(resolve));
        }
        jest.advanceTimersByTime(20_000);
      }
      expect(bench.session.isLagging).toBe(true);
      expect(bench.peer.closed).toBeNull();
      jest.advanceTimersByTime(30_000);
      expect(bench.peer.closed).toMatchObject({ code: 4429 });
    } finally {
      jest.useRealTimers();
    }
  });

  // The race: the hub reads a page of events that the client missed, and the client unsubscribes meanwhile.
  it('gets nothing more of a channel that it leaves while it catches up', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    await fallBehind(bench);
    const page = bench.holdNextPage();
    bench.peer.read();
    await page.requested;
    bench.session.leave('c');
    bench.session.send('{"jsonrpc":"2.0","id":1,"result":{}}');
    page.release();
    await waitFor(() => bench.peer.objects.some(({ id }) => id === 1), { what: 'the answer' });
    bench.session.send('{"jsonrpc":"2.0","id":2,"result":{}}');
    await waitFor(() => bench.peer.objects.at(-1)?.id === 2, { what: 'a later answer' });
    const at = bench.peer.objects.findIndex(({ id }) => id === 1);
    expect(bench.peer.objects.slice(at).map(({ id }) => id)).toEqual([1, 2]);
  });

  // The race: an event removes the lagging session from a channel, and the client unsubscribes before it gets that
  // event.
  it('gets nothing more of a channel that it was removed from when its client unsubscribes', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    await fallBehind(bench);
    bench.publishEvent(leaveOfBen);
    await bench.turn();
    bench.session.unsubscribe(['c']);
    bench.session.send('{"jsonrpc":"2.0","id":1,"result":{}}');
    bench.peer.read();
    await waitFor(() => !bench.session.isLagging, { what: 'the end of lagging' });
    bench.session.send('{"jsonrpc":"2.0","id":2,"result":{}}');
    await waitFor(() => bench.peer.objects.at(-1)?.id === 2, { what: 'a later answer' });
    const at = bench.peer.objects.findIndex(({ id }) => id === 1);
    expect(bench.peer.objects.slice(at).map(({ id }) => id)).toEqual([1, 2]);
  });

  // The race: the epoch changes while a page of the earlier epoch is read.
  it('gets nothing of the earlier epoch after the discontinuity', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    const head = await fallBehind(bench);
    const page = bench.holdNextPage();
    bench.peer.read();
    await page.requested;
    bench.room.beginEpoch(head);
    page.release();
    const isTold = () => bench.peer.objects.some(({ method }) => method === 'discontinuity');
    await waitFor(() => isTold() && !bench.session.isLagging, { what: 'the discontinuity' });
    bench.publish(3);
    await bench.turn();
    const at = bench.peer.objects.findIndex(({ method }) => method === 'discontinuity');
    expect(bench.peer.objects[at].params).toEqual({ channelId: 'c', head, reason: 'epoch' });
    const after = bench.peer.objects.slice(at + 1).map(({ params }) => params.seq);
    expect(after).toEqual(range(head + 1, head + 3));
  });

  it('gets everything up to its own leave and nothing after when it is removed meanwhile', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    await fallBehind(bench);
    const leave = bench.publishEvent(leaveOfBen);
    bench.publish(20);
    await bench.turn();
    bench.peer.read();
    await waitFor(() => !bench.session.isLagging, { what: 'the end of lagging' });
    bench.session.send('{"jsonrpc":"2.0","id":1,"result":{}}');
    await waitFor(() => bench.peer.objects.at(-1)?.id === 1, { what: 'a later answer' });
    expect(bench.peer.seqs).toEqual(range(1, leave));
  });

  // The race: the session missed more events than a catch-up may send, and some of them are not framed yet. Invariant:
  // after the discontinuity come only events after its head.
  it('gets a discontinuity when it is too far behind, and continues after its head', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    await fallBehind(bench);
    bench.publish(limits.resumeEvents + 1);
    await bench.turn();
    // The peer reads in the same turn, so the hub sends the discontinuity before it frames these events.
    const head = bench.publish(5);
    bench.peer.read();
    const isTold = () => bench.peer.objects.some(({ method }) => method === 'discontinuity');
    await waitFor(() => isTold() && !bench.session.isLagging, { what: 'the discontinuity' });
    bench.publish(2);
    await bench.turn();
    const at = bench.peer.objects.findIndex(({ method }) => method === 'discontinuity');
    expect(bench.peer.objects[at].params).toEqual({ channelId: 'c', head, reason: 'behind' });
    const after = bench.peer.objects.slice(at + 1).map(({ params }) => params.seq);
    expect(after).toEqual(range(head + 1, head + 2));
  });

  // The race: a slow session has not got the next events yet, and they are trimmed.
  it('gets a discontinuity when its next events were trimmed, and continues from the floor', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    const last = await fallBehind(bench);
    const floor = last - 1;
    bench.trim(floor);
    bench.peer.read();
    await waitFor(() => bench.peer.seqs.at(-1) === last && !bench.session.isLagging, {
      what: 'the last event',
    });
    const next = bench.publish(1);
    await bench.turn();
    const at = bench.peer.objects.findIndex(({ method }) => method === 'discontinuity');
    const params = { channelId: 'c', head: floor - 1, reason: 'trimmed', floor };
    expect(bench.peer.objects[at].params).toEqual(params);
    const after = bench.peer.objects.slice(at + 1).map((object) => object.params.seq);
    expect(after).toEqual([floor, last, next]);
  });

  // The race: the epoch changes while the hub reads a page whose beginning was trimmed. The page's floor belongs to the
  // earlier log.
  it('gets nothing of a floor that was read in an earlier epoch', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    const head = await fallBehind(bench);
    const page = bench.holdNextPage();
    bench.trim(head - 1);
    bench.peer.read();
    await page.requested;
    bench.room.beginEpoch(head);
    // The session is also behind in the new epoch when the page arrives.
    bench.publish(3);
    bench.session.backlogFrom(bench.room, head);
    page.release();
    await waitFor(() => bench.peer.seqs.at(-1) === head + 3, { what: 'the new events' });
    const told = bench.peer.objects.filter(({ method }) => method === 'discontinuity');
    expect(told.map(({ params }) => params)).toEqual([{ channelId: 'c', head, reason: 'epoch' }]);
    expect(bench.room.floor).toBe(1);
  });

  // The race: ben reads slowly. The event that removed ben is trimmed before the room delivers it.
  it('learns that its subscription has ended when its removal was trimmed', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    const last = await fallBehind(bench);
    bench.trim(last + 11);
    bench.room.update({ floor: last + 11 });
    bench.room.skipTrimmed(last + 10, new Set(['ben']));
    bench.publish(12);
    bench.peer.read();
    await waitFor(() => !bench.session.isLagging, { what: 'the end of lagging' });
    await bench.turn();
    const params = { channelId: 'c', head: last + 10, reason: 'trimmed', floor: last + 11 };
    expect(bench.peer.objects.slice(-2).map((object) => object.params)).toEqual([
      params,
      { ...params, error: { code: 'forbidden' } },
    ]);
    expect(bench.session.rooms.size).toBe(0);
  });

  it('gets a discontinuity when everything that it missed was trimmed', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    const last = await fallBehind(bench);
    bench.trim(last + 1);
    bench.peer.read();
    const isTold = () => bench.peer.objects.some(({ method }) => method === 'discontinuity');
    await waitFor(() => isTold() && !bench.session.isLagging, { what: 'the discontinuity' });
    const next = bench.publish(1);
    await bench.turn();
    expect(bench.peer.objects.slice(-2).map((object) => object.params)).toEqual([
      { channelId: 'c', head: last, reason: 'trimmed', floor: next },
      expect.objectContaining({ seq: next }),
    ]);
  });

  // The race: the session missed more events than a catch-up may send. The last of them removed the session's agent.
  it('gets a discontinuity, its leave and nothing after when it is removed while too far behind', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    await fallBehind(bench);
    bench.publish(limits.resumeEvents + 1);
    const leave = bench.publishEvent(leaveOfBen);
    bench.publish(5);
    bench.peer.read();
    await waitFor(() => bench.peer.seqs.at(-1) === leave && !bench.session.isLagging, {
      what: 'the leave',
    });
    bench.publish(2);
    await bench.turn();
    const [{ params }, ...after] = bench.peer.objects.slice(-2);
    expect(params).toEqual({ channelId: 'c', head: leave - 1, reason: 'behind' });
    expect(seqsOf(after.map((object) => object.params))).toEqual([leave]);
  });

  // Invariant: a client without the subprotocol never gets an array.
  it('gets one object per frame without the subprotocol, even when it catches up', async () => {
    const bench = createSessionBench({ protocol: '' });
    bench.session.enter(bench.room);
    const last = await fallBehind(bench);
    bench.peer.read();
    await waitFor(() => bench.peer.seqs.at(-1) === last, { what: 'all events' });
    expect(bench.peer.seqs).toEqual(range(1, last));
    expect(bench.peer.frames.some((frame) => Array.isArray(frame))).toBe(false);
  });
});

describe('a socket that enters a room', () => {
  // The race: the session enters a room, and newer events are published in the same turn as the answer.
  it('gets the events that it missed once, after the answer of the same turn and before live events', async () => {
    const { publish, session, room, peer, turn } = createSessionBench();
    publish(10);
    session.enter(room, 4);
    session.send('{"jsonrpc":"2.0","id":1,"result":{}}');
    publish(2);
    await turn();
    expect(peer.objects.map(({ id, params }) => id ?? -params.seq)).toEqual([
      1,
      ...range(5, 12).map((seq) => -seq),
    ]);
  });

  // The race: the client subscribes again while events are pending.
  it('again at a head gets no pending events up to that head', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    const head = await fallBehind(bench);
    bench.session.enter(bench.room, head);
    bench.session.send('{"jsonrpc":"2.0","id":1,"result":{}}');
    bench.peer.read();
    await waitFor(() => !bench.session.isLagging, { what: 'the end of lagging' });
    const last = bench.publish(3);
    await waitFor(() => bench.peer.seqs.at(-1) === last, { what: 'the last event' });
    const at = bench.peer.objects.findIndex(({ id }) => id === 1);
    const after = bench.peer.objects.slice(at + 1).map(({ params }) => params.seq);
    expect(after).toEqual(range(head + 1, last));
  });

  // The race: the calls of a batch cause events before the answer of the batch is complete.
  it('gets buffered events after the answer that ends the buffer, in order', async () => {
    const { session, room, peer, publish, turn } = createSessionBench({ protocol: '' });
    const release = session.buffer();
    session.enter(room);
    publish(2);
    await turn();
    expect(peer.frames).toEqual([]);
    release('[{"jsonrpc":"2.0","id":1,"result":{}}]');
    publish(1);
    await turn();
    expect(peer.frames.map((frame) => frame.params?.seq ?? 'answer')).toEqual(['answer', 1, 2, 3]);
  });
});

describe('an answer that is made in several turns', () => {
  // The race: events arrive after a subscribe has entered its rooms and before it is answered. Invariant: events after
  // the answer's head come after the answer; events up to its head come before it or not at all.
  it('comes before events delivered after its rooms were entered, and after earlier ones', async () => {
    const { session, room, peer, publish, turn } = createSessionBench();
    session.enter(room);
    publish(3);
    const release = session.pauseCatchUp();
    session.enter(room);
    const { head } = room;
    publish(3);
    await turn();
    session.send('{"jsonrpc":"2.0","id":1,"result":{}}');
    release();
    publish(2);
    await waitFor(() => peer.seqs.at(-1) === 8, { what: 'all events' });
    expect(head).toBe(3);
    expect(peer.objects.map(({ id, params }) => (id ? 'answer' : params.seq))).toEqual([
      ...range(1, 3),
      'answer',
      ...range(4, 8),
    ]);
  });
});

describe('the unsent output of a session', () => {
  it('is counted until the peer has read it, buffered or not', async () => {
    const unsent = createUnsentBudget();
    const { session, peer, turn } = createSessionBench({ unsent });
    peer.isReading = false;
    const release = session.buffer();
    session.send(JSON.stringify('x'.repeat(1_000)));
    expect(unsent.bytes).toBeGreaterThan(1_000);
    release(null);
    await turn();
    expect(unsent.bytes).toBeGreaterThan(1_000);
    peer.read();
    await waitFor(() => unsent.bytes === 0, { what: 'nothing unsent' });
    expect(peer.frames).toHaveLength(1);
    session.send(JSON.stringify('never written'));
    session.dispose();
    expect(unsent.bytes).toBe(0);
  });

  // The limit is per agent. Otherwise an agent with a hundred sockets could hold a hundred times as much.
  it('counts for its agent: over that budget a socket that does not read lags', async () => {
    const unsent = createUnsentBudget({ agentBytes: 100_000 });
    const bench = createSessionBench({ unsent });
    bench.session.enter(bench.room);
    bench.peer.isReading = false;
    bench.publish(1, 1_000);
    await bench.turn();
    expect(bench.session.isLagging).toBe(false);
    const others = unsent.open('ben');
    others.settle(100_000);
    bench.publish(1, 1_000);
    await bench.turn();
    expect([bench.session.isLagging, bench.peer.isRead]).toEqual([true, false]);
    const held = unsent.bytes;
    bench.publish(50, 1_000);
    await bench.turn();
    expect(unsent.bytes).toBe(held);
    // The socket can catch up while the agent's other sockets hold unsent output.
    bench.peer.read();
    await waitFor(() => bench.peer.seqs.at(-1) === 52, { what: 'all events' });
    expect(bench.peer.seqs).toEqual(range(1, 52));
  });

  // The race: the peer does not read, so most events of one turn are still unsent. More events arrive in later turns.
  it('makes the session lag even while the rest of an earlier turn waits', async () => {
    const unsent = createUnsentBudget();
    const bench = createSessionBench({ unsent });
    bench.session.enter(bench.room);
    bench.peer.isReading = false;
    bench.publish(9, 60_000);
    for (let round = 1; round <= 40; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      bench.publish(1, 60_000);
    }
    await waitFor(() => bench.session.isLagging, { what: 'lagging' });
    expect(unsent.bytes).toBeLessThan(2_000_000);
  });

  // The race: a socket without the subprotocol resumes a room in a batch. Events that arrive before the resume are
  // pending, and the answer of the batch contains them too. Invariant: after an answer that names a head, each event
  // after that head comes once.
  it('does not get events after the answer of a batch that holds them', async () => {
    const bench = createSessionBench({ protocol: '' });
    const { session, room } = bench;
    session.enter(room);
    const release = session.buffer();
    bench.publish(3);
    await bench.turn();
    const goOn = session.pauseCatchUp();
    session.enter(room, 3);
    goOn();
    bench.publish(2);
    await bench.turn();
    release('[{"id":"batch"}]');
    await waitFor(() => bench.peer.seqs.at(-1) === 5, { what: 'the last event' });
    expect(bench.peer.objects[0].id).toBe('batch');
    expect(bench.peer.seqs).toEqual([4, 5]);
  });

  it('gets nothing of a room that a call of the batch left', async () => {
    const bench = createSessionBench({ protocol: '' });
    bench.session.enter(bench.room);
    const release = bench.session.buffer();
    bench.publish(3);
    await bench.turn();
    bench.session.leave(bench.room.channelId);
    release('[{"id":"batch"}]');
    await waitFor(() => bench.peer.objects.length > 0 && !bench.session.isLagging);
    await bench.turn();
    expect(bench.peer.seqs).toEqual([]);
  });

  // The race: the catch-up requests a page before a batch begins. The page arrives during the batch, before a call of
  // the batch resumes the room.
  it('does not get a page of the log after the answer of a batch that holds its events', async () => {
    const bench = createSessionBench({ protocol: '' });
    const { session, room, peer } = bench;
    session.enter(room);
    const last = await fallBehind(bench);
    const page = bench.holdNextPage();
    peer.read();
    await page.requested;
    const before = peer.seqs.length;
    const release = session.buffer();
    page.release();
    await bench.turn();
    await bench.turn();
    const goOn = session.pauseCatchUp();
    session.enter(room, last);
    goOn();
    release('[{"id":"batch"}]');
    const next = bench.publish(1);
    await waitFor(() => peer.seqs.at(-1) === next, { what: 'the last event' });
    const at = peer.objects.findIndex(({ id }) => id === 'batch');
    expect(peer.objects.slice(at + 1).map(({ params }) => params.seq)).toEqual([next]);
    expect(peer.seqs.slice(0, before)).toEqual(range(1, before));
    await waitFor(() => !session.isLagging, { what: 'the end of lagging' });
  });

  // The race: the socket is too far behind for a catch-up, and begins to read during a batch that resumes the room. A
  // later discontinuity would name a lower head than the batch's answer.
  it('gets no discontinuity of a room that a call of the batch continues', async () => {
    const bench = createSessionBench({ protocol: '' });
    const { session, room, peer } = bench;
    session.enter(room);
    await fallBehind(bench);
    const last = bench.publish(limits.resumeEvents + 1);
    await bench.turn();
    const release = session.buffer();
    peer.read();
    for (let turn = 0; turn < 20; turn++) await bench.turn();
    const goOn = session.pauseCatchUp();
    session.enter(room, last);
    goOn();
    release('[{"id":"batch"}]');
    const next = bench.publish(1);
    await waitFor(() => peer.seqs.at(-1) === next, { what: 'the last event' });
    const at = peer.objects.findIndex(({ id }) => id === 'batch');
    expect(peer.objects.slice(at + 1).map(({ method }) => method)).toEqual(['event']);
  });

  it('is limited while it is buffered, and complete after the buffer', async () => {
    const unsent = createUnsentBudget();
    const bench = createSessionBench({ unsent });
    bench.session.enter(bench.room);
    const release = bench.session.buffer();
    for (let round = 1; round <= 40; round++) {
      bench.publish(10, 10_000);
      await bench.turn();
    }
    expect(unsent.bytes).toBeLessThan(2_000_000);
    bench.session.send('{"jsonrpc":"2.0","id":1,"result":{}}');
    release('{"jsonrpc":"2.0","id":2,"result":{}}');
    await waitFor(() => bench.peer.seqs.at(-1) === 400, { what: 'all events' });
    expect(bench.peer.seqs).toEqual(range(1, 400));
    expect(bench.peer.objects[0].id).toBe(2);
  });
});
