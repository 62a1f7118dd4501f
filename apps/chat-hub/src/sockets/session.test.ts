import { describe, expect, it, jest } from '@jest/globals';
import { limits, type ChannelEvent } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { fallBehind } from '../testing/fall-behind.ts';
import { createSessionBench } from '../testing/session-bench.ts';
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
  // The race: the store fails while the socket catches up. Invariants: nobody dies of it, and the socket gets all,
  // once, in order, as soon as the store answers again.
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

  // The race: a flood of cheap calls whose answers nobody takes. Invariant: who does not read is not read.
  it('is not read until it has caught up', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    await fallBehind(bench);
    expect(bench.peer.isRead).toBe(false);
    bench.peer.read();
    await waitFor(() => !bench.session.isLagging, { what: 'the end of lagging' });
    expect(bench.peer.isRead).toBe(true);
  });

  // The race: the answers of a batch are held back, and while the batch is under way the socket falls behind; its next
  // call that may answer much waits until the socket has caught up, which it does after the hold, which ends with that
  // call. Invariant: every call ends; a client that reads on is answered.
  it('does not make the calls of a batch wait for the end of that batch', async () => {
    const bench = createSessionBench({ protocol: '' });
    bench.session.enter(bench.room);
    await fallBehind(bench);
    const before = bench.session.keepsUp();
    const release = bench.session.hold();
    const within = bench.session.keepsUp();
    bench.peer.read();
    expect(await Promise.all([before, within])).toEqual([true, true]);
    release([Buffer.from('[{"id":"batch"}]')]);
    await waitFor(() => bench.peer.objects.some(({ id }) => id === 'batch'), {
      what: 'the answers',
    });
    await waitFor(() => !bench.session.isLagging, { what: 'the end of lagging' });
  });

  // The race: an answer takes longer than half a minute over a thin line. Invariant: only a socket that stays stuck is
  // closed; one that takes what comes, however slowly, would else come back and ask for the same for ever.
  it('is not closed while it takes something, however long that lasts', async () => {
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

  // The race: the socket unsubscribes while a page of what it is owed is on its way. Invariant: nothing of the channel
  // comes after the answer to unsubscribe.
  it('gets nothing more of a channel that it leaves while it catches up', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    await fallBehind(bench);
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    bench.onNextPage(async (page) => {
      asked.resolve();
      await answer.promise;
      return page();
    });
    bench.peer.read();
    await asked.promise;
    bench.session.leave('c');
    bench.session.send('{"jsonrpc":"2.0","id":1,"result":{}}');
    answer.resolve();
    await waitFor(() => bench.peer.objects.some(({ id }) => id === 1), { what: 'the answer' });
    bench.session.send('{"jsonrpc":"2.0","id":2,"result":{}}');
    await waitFor(() => bench.peer.objects.at(-1)?.id === 2, { what: 'a later answer' });
    const at = bench.peer.objects.findIndex(({ id }) => id === 1);
    expect(bench.peer.objects.slice(at).map(({ id }) => id)).toEqual([1, 2]);
  });

  // The race: the database begins another life while a page of the one before is on its way. Invariant: after the
  // discontinuity come only events after the head that it names.
  it('gets nothing of the life before once it was told of the new one', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    const head = await fallBehind(bench);
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    bench.onNextPage(async (page) => {
      asked.resolve();
      await answer.promise;
      return page();
    });
    bench.peer.read();
    await asked.promise;
    bench.room.restart(head);
    answer.resolve();
    const isTold = () => bench.peer.objects.some(({ method }) => method === 'discontinuity');
    await waitFor(() => isTold() && !bench.session.isLagging, { what: 'the discontinuity' });
    bench.publish(3);
    await bench.turn();
    const at = bench.peer.objects.findIndex(({ method }) => method === 'discontinuity');
    expect(bench.peer.objects[at].params).toEqual({ channelId: 'c', head, reason: 'epoch' });
    const after = bench.peer.objects.slice(at + 1).map(({ params }) => params.seq);
    expect(after).toEqual(range(head + 1, head + 3));
  });

  // The race: a member is removed while it lags. Invariant: a removed member gets everything up to and with the event
  // that removes it, and nothing after, however late it reads.
  it('that is removed meanwhile gets everything up to its own leave, and nothing after', async () => {
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

  // The race: more came than a catch-up may bring, and some of it still waits to be framed. Invariant: live goes on
  // from head+1, so nothing at or below the head that the discontinuity names comes after it.
  it('that is too far behind is told, and goes on after the head it is told', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    await fallBehind(bench);
    bench.publish(limits.resumeEvents + 1);
    await bench.turn();
    // Still to be framed when the socket is told: reading begins in the same turn.
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

  // The race: as above, and it was removed at the end. Invariant: the event that removes it comes all the same.
  it('that is too far behind when it is removed is told that, gets its leave, and nothing after', async () => {
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

  // Invariant: a client without the subprotocol never gets an array it did not ask for.
  it('without the subprotocol gets one object a frame also when it catches up', async () => {
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
  // The race: entering brings events that the result leaves to the live stream. Invariant: the result, which is sent in
  // the same turn, comes before them.
  it('gets what it missed after what the same turn sends, once, and then what comes live', async () => {
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

  // The race: it asks again while it is still owed events. Invariant: after a result that names a head no event at or
  // below that head comes.
  it('again, with a head, is owed nothing up to that head any more', async () => {
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

  // The race: a batch's calls set events going before its one answer is whole. Invariant: the answer comes first.
  it('gets what is held back after the text that ends the hold, in order', async () => {
    const { session, room, peer, publish, turn } = createSessionBench({ protocol: '' });
    const release = session.hold();
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
  // The race: events come between the joins of one subscribe and its answer. Invariant: what a room brings after the head
  // that the answer names follows the answer, and what is at or below it comes before or not at all.
  it('comes before all that rooms bring after they were entered, and after what they brought before', async () => {
    const { session, room, peer, publish, turn } = createSessionBench();
    session.enter(room);
    publish(3);
    const release = session.defer();
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

describe('what a session holds', () => {
  it('is counted from the enqueuing to the taking, held back or not', async () => {
    const unsent = createUnsentBudget();
    const { session, peer, turn } = createSessionBench({ unsent });
    peer.isReading = false;
    const release = session.hold();
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

  // A hundred sockets of an agent, each a little below its own limit, would hold a hundred times as much.
  it('is held for its agent: beyond that budget a socket that does not read is neither fed nor read', async () => {
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
    // What it missed comes though the others still hold theirs.
    bench.peer.read();
    await waitFor(() => bench.peer.seqs.at(-1) === 52, { what: 'all events' });
    expect(bench.peer.seqs).toEqual(range(1, 52));
  });

  // The race: the rest of a large answer waits for a peer that reads nothing, and events come. Invariant: it is seen to lag.
  it('counts as lagging also while the rest of an earlier turn waits', async () => {
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

  it('is not fed further once much is held back, and comes whole after the hold', async () => {
    const unsent = createUnsentBudget();
    const bench = createSessionBench({ unsent });
    bench.session.enter(bench.room);
    const release = bench.session.hold();
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
