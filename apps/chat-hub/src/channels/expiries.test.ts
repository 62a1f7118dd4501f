import { describe, expect, it } from '@jest/globals';
import type { Expiry } from '@openclaw/chat-store';
import { waitFor } from '@openclaw/test-support';
import { pino } from 'pino';
import { startExpiries } from './expiries.ts';

/** Lets this many asks expire. `most` is the highest number that the store had at once. */
async function expireAll(count: number) {
  const due = Array.from({ length: count }, (_, n) => `ask${n}`);
  let open = 0;
  let most = 0;
  const published: number[] = [];
  const expiries = startExpiries({
    store: {
      due: async () => due.map((id): Expiry => ({ kind: 'ask', id, channelId: 'ops' })),
      async expire({ id }: Expiry) {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        open -= 1;
        due.splice(due.indexOf(id), 1);
        return [{} as never];
      },
    },
    writer: { publishAll: (events) => void published.push(events.length) },
    log: pino({ level: 'silent' }),
    everyMs: 1,
  });
  await waitFor(() => due.length === 0);
  await expiries.close();
  return { most, published };
}

describe('expiries', () => {
  // The fault: a hundred asks with one deadline expired in one commit, which held the locks of all their channels. A
  // database a few milliseconds away did not finish the commit within the timeout, so no ask expired.
  it('are given to the store a few at a time, and published as they come', async () => {
    const { most, published } = await expireAll(100);
    expect(most).toBeLessThanOrEqual(16);
    expect(published.filter((count) => count > 0)).toEqual([16, 16, 16, 16, 16, 16, 4]);
  });

  // The fault: 100,000 asks with one deadline expired 16 in a commit, which took minutes.
  it('are given to the store in larger parts while many are due', async () => {
    const { most } = await expireAll(1_000);
    expect(most).toBe(125);
  });

  // The fault: one of several expiries failed. The hub committed the others, but published their events only at its
  // next check for missed events.
  it('are published when another one fails at the same time', async () => {
    const due = ['fails', 'ends'];
    const published: string[] = [];
    let tries = 0;
    const expiries = startExpiries({
      store: {
        due: async () => due.map((id): Expiry => ({ kind: 'ask', id, channelId: 'ops' })),
        async expire({ id }: Expiry) {
          if (id === 'fails' && ++tries === 1) throw new Error('the database is away');
          due.splice(due.indexOf(id), 1);
          return [id as never];
        },
      },
      writer: { publishAll: (events) => void published.push(...(events as unknown as string[])) },
      log: pino({ level: 'silent' }),
      everyMs: 1,
    });
    await waitFor(() => due.length === 0);
    await expiries.close();
    expect(published).toEqual(['ends', 'fails']);
  });
});
