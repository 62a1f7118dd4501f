import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { pino } from 'pino';
import { createFoundDirects } from './found-directs.ts';

const log = pino({ level: 'silent' });

describe('direct channels found in the log', () => {
  // The race: the tail check finds a message, and the store fails before it returns the members of the message's
  // channel. The tail check does not find this message again.
  it('are opened at the latest head when the store answers again', async () => {
    const opened: [string, number][] = [];
    let failures = 3;
    const directs = createFoundDirects(
      async (channelId, { head }) => {
        if (failures-- > 0) throw new Error('the database is away');
        opened.push([channelId, head]);
      },
      log,
      { retryMs: 1 },
    );
    directs.add('a', { head: 1, epochGeneration: 0 });
    directs.add('b', { head: 5, epochGeneration: 0 });
    directs.add('a', { head: 2, epochGeneration: 0 });
    await waitFor(() => opened.some(([id, head]) => id === 'a' && head === 2));
    await waitFor(() => opened.some(([id, head]) => id === 'b' && head === 5));
    directs.close();
  });

  // One tail check may find thousands of channels. If all were opened at once, the store would refuse most of the
  // reads.
  it('are all opened, a few at a time', async () => {
    let [open, most, done] = [0, 0, 0];
    const directs = createFoundDirects(
      async () => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        open -= 1;
        done += 1;
      },
      log,
      { maxConcurrent: 8 },
    );
    for (let n = 0; n < 5_000; n++) directs.add(`dm_${n}`, { head: 1, epochGeneration: 0 });
    await waitFor(() => done === 5_000, { what: 'all of them' });
    expect(most).toBe(8);
    directs.close();
  });

  // The race: the epoch changes while a channel waits. Invariant: a head of the current epoch
  // replaces a head of an earlier epoch, even if the earlier head is higher.
  it('are opened with the latest head of the latest epoch', async () => {
    const opened: object[] = [];
    let isAway = true;
    const directs = createFoundDirects(
      async (_channelId, found) => {
        if (isAway) throw new Error('the database is away');
        opened.push(found);
      },
      log,
      { retryMs: 1 },
    );
    directs.add('a', { head: 9, epochGeneration: 0 });
    directs.add('a', { head: 2, epochGeneration: 1 });
    directs.add('a', { head: 10, epochGeneration: 0 });
    isAway = false;
    await waitFor(() => opened.length > 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(opened).toEqual([{ head: 2, epochGeneration: 1 }]);
    directs.close();
  });

  it('are dropped when they cannot be opened at all, without delaying others', async () => {
    const tried: string[] = [];
    const directs = createFoundDirects(
      async (channelId) => {
        tried.push(channelId);
        if (channelId === 'gone') throw new Error('there is no such channel');
      },
      log,
      { maxConcurrent: 1, retryMs: 1, maxAttempts: 3 },
    );
    for (const id of ['gone', 'a']) directs.add(id, { head: 1, epochGeneration: 0 });
    await waitFor(() => tried.filter((id) => id === 'gone').length === 3 && tried.includes('a'));
    directs.add('b', { head: 1, epochGeneration: 0 });
    await waitFor(() => tried.includes('b'));
    expect(tried.filter((id) => id === 'gone')).toHaveLength(3);
    directs.close();
  });

  it('are dropped, the oldest first, when too many wait', async () => {
    const opened: string[] = [];
    const directs = createFoundDirects(
      async (channelId) => {
        opened.push(channelId);
        await new Promise((resolve) => setImmediate(resolve));
      },
      log,
      { maxConcurrent: 1, maxWaiting: 2 },
    );
    for (const id of ['a', 'b', 'c', 'd']) directs.add(id, { head: 1, epochGeneration: 0 });
    await waitFor(() => opened.length === 3);
    expect(opened).toEqual(['a', 'c', 'd']);
    directs.close();
  });
});
