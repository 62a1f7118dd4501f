import { describe, expect, it } from '@jest/globals';
import type { Envelope } from '@openclaw/client';
import { createTally } from '../measure/tally.ts';
import type { Plan } from '../plan/plan.ts';
import { createReceivedEvents } from './received-events.ts';

const channelId = 'c';

function createBench() {
  const times = () => new Float64Array(new SharedArrayBuffer(8));
  const dues = { typing: times(), reaction: times() };
  const received = createReceivedEvents({ runId: 'r' } as Plan, createTally(), dues);
  const receive = (...seqs: readonly number[]) => {
    for (const seq of seqs) {
      const event = { type: 'collaboration.event', channelId, name: 'n', payload: {} };
      received.receive({ event, channelId, seq } as unknown as Envelope);
    }
  };
  return { received, receive };
}

describe('the events that an agent receives', () => {
  it('count as lost or doubled in every subscription, also after its end', () => {
    const { received, receive } = createBench();
    received.subscribing(channelId);
    received.subscribed(channelId, 4);
    receive(5, 7, 7);
    expect(received.counts()).toEqual({ lost: 1, doubled: 1 });
    expect(received.missing({ [channelId]: 9 })).toBe(2);
    received.unsubscribing(channelId);
    receive(8);
    expect(received.missing({ [channelId]: 9 })).toBe(0);
    received.subscribing(channelId);
    received.subscribed(channelId, 9);
    receive(10);
    expect(received.counts()).toEqual({ lost: 1, doubled: 1 });
    expect(received.lastSeq(channelId)).toBe(10);
  });

  // The race: the answer to subscribe names the head, but the client delivers the first event before this answer.
  it('are lost when the first one does not follow the head of a later answer', () => {
    const { received, receive } = createBench();
    received.subscribing(channelId);
    receive(7);
    received.subscribed(channelId, 4);
    expect(received.counts()).toEqual({ lost: 2, doubled: 0 });
  });
});
