import { describe, expect, it } from '@jest/globals';
import { encodeEnvelope } from '@openclaw/protocol';
import { createSequencer } from '@openclaw/events';
import { createFlusher } from '../channels/flusher.ts';
import { Room } from '../channels/room.ts';
import { createTimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import { range } from '../testing/seqs.ts';
import { createLogReader, gatherMissed, type MissedEvents } from './missed-events.ts';

const channelId = 'c';

function createRoom(head: number, bytes: number) {
  const log = range(1, head).map((seq) =>
    encodeEnvelope({
      ...{
        id: `e${seq}`,
        timestamp: 1,
        senderId: 'ana',
        senderKind: null,
        channelId,
        seq,
        epoch: 'e',
      },
      event: {
        ...{ type: 'collaboration.event', channelId, name: 'n' },
        payload: { text: 'x'.repeat(bytes) },
      },
    }),
  );
  const readLog = async (after: number) => log.slice(after, after + 250 - (after % 250));
  return new Room(channelId, head, {
    flusher: createFlusher(),
    readLog,
    createSequencer: (from, deliver) =>
      createSequencer({ channelId, epoch: 'e', head: from, deliver, fetch: async () => [] }),
  });
}

const seqsOf = (missed: MissedEvents | null) =>
  missed &&
  JSON.parse(`[${Buffer.concat(missed.pieces).toString()}]`).map(({ seq }: { seq: number }) => seq);

describe('the events that a client missed', () => {
  // The fault: a resume of 4,900 events stopped the event loop for half a second. Now each step encodes 64 Ki
  // characters.
  it('are encoded in many short turns', async () => {
    let nowMs = 0;
    let turns = 0;
    const slices = createTimeSlicedQueue({ sliceMs: 4, clock: () => (nowMs += 1) });
    const room = createRoom(4_900, 1_000);
    let isDone = false;
    const count = () => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const missed = await gatherMissed(
      room,
      0,
      { bytes: 8_388_608 },
      slices,
      createLogReader(10_000),
    );
    isDone = true;
    expect(seqsOf(missed)).toEqual(range(1, 4_900));
    expect(missed).toMatchObject({ count: 4_900, lastSeq: 4_900 });
    // There are about 90 steps, and a turn has at most 3 of them. So there are about 30 turns.
    expect(turns).toBeGreaterThan(25);
  });

  it('are null when they are too many or too large, and their share of the budget stays used', async () => {
    const slices = createTimeSlicedQueue();
    const budget = { bytes: 1_000_000 };
    const reads = createLogReader(10_000);
    expect(await gatherMissed(createRoom(5_001, 10), 0, budget, slices, reads)).toBeNull();
    expect(budget.bytes).toBe(1_000_000);
    expect(await gatherMissed(createRoom(2_000, 1_000), 0, budget, slices, reads)).toBeNull();
    expect(budget.bytes).toBeLessThan(0);
    expect(await gatherMissed(createRoom(10, 10), 0, budget, slices, reads)).toBeNull();
  });
});
