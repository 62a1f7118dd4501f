import { describe, expect, it } from '@jest/globals';
import { encodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import { createTimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import { Backlog, createRingBudget, pageEvents } from './backlog.ts';

function event(seq: number, messageId = `m${seq}`): EncodedEnvelope {
  const payload = { message: { id: messageId } };
  return encodeEnvelope({
    id: `e${seq}`,
    timestamp: 1,
    senderId: 'a',
    senderKind: null,
    channelId: 'c',
    seq,
    epoch: 'e',
    event: { type: 'collaboration.event', channelId: 'c', name: 'n', payload },
  });
}
const seqs = (events: readonly EncodedEnvelope[] | null) => events?.map(({ seq }) => seq) ?? null;

function createLog(length: number, pageLength = 1_000) {
  const events = Array.from({ length }, (_, index) => event(index + 1));
  const log = { reads: 0, release: () => undefined as void };
  const readLog = async (after: number) => {
    log.reads += 1;
    await new Promise<void>((resolve) => (log.release = resolve));
    return events.slice(after, after + pageLength);
  };
  return { log, readLog };
}

describe('a channel’s backlog', () => {
  it('reads the store once for clients that resume together or shortly after', async () => {
    const { log, readLog } = createLog(50);
    const backlog = new Backlog(50, readLog);
    const asked = Array.from({ length: 5_000 }, () => backlog.page(10));
    log.release();
    const pages = await Promise.all(asked);
    expect(log.reads).toBe(1);
    expect(seqs(pages[4_999] ?? null)).toEqual(Array.from({ length: 40 }, (_, i) => i + 11));
    expect(seqs(await backlog.page(12))).toHaveLength(38);
    expect(log.reads).toBe(1);
  });

  it('joins the events that it reads to those delivered meanwhile, without gap or repetition', async () => {
    const { log, readLog } = createLog(52);
    const backlog = new Backlog(50, readLog);
    const page = backlog.page(48);
    backlog.push(event(51));
    log.release();
    expect(seqs(await page)).toEqual([49, 50, 51, 52]);
    expect(seqs(backlog.after(48))).toEqual([49, 50, 51]);
  });

  it('keeps no page that would leave a gap', async () => {
    const { log, readLog } = createLog(50, 10);
    const backlog = new Backlog(50, readLog);
    const page = backlog.page(10);
    log.release();
    expect(seqs(await page)).toHaveLength(10);
    expect(backlog.after(10)).toBeNull();
    expect(seqs(backlog.after(50))).toEqual([]);
  });

  // The race: a message is deleted, on this hub or another, while a page with its text is read from
  // the store.
  it('keeps no page if a message was deleted while it was read', async () => {
    const { log, readLog } = createLog(50);
    const backlog = new Backlog(50, readLog);
    const page = backlog.page(40);
    backlog.forgetMessage('m45');
    log.release();
    await page;
    expect(backlog.after(40)).toBeNull();
  });

  it('reads again after a read that failed', async () => {
    let reads = 0;
    const backlog = new Backlog(5, async () => {
      reads += 1;
      if (reads === 1) throw new Error('the store is away');
      return [event(4), event(5)];
    });
    await expect(backlog.page(3)).rejects.toThrow('away');
    expect(seqs(await backlog.page(3))).toEqual([4, 5]);
  });
});

/** Creates a log that answers at once, with pages that end at multiples of `pageEvents`. */
function createQuickLog(length: number) {
  const log = { reads: 0 };
  const readLog = async (after: number) => {
    log.reads += 1;
    const end = after - (after % pageEvents) + pageEvents;
    return Array.from({ length: Math.min(end, length) - after }, (_, n) => event(after + n + 1));
  };
  return { log, readLog };
}

describe('the encoded pages of a channel', () => {
  const slices = createTimeSlicedQueue();

  async function resume(backlog: Backlog, since: number, head: number): Promise<number[]> {
    const pieces: string[] = [];
    for (let after = since; after < head;) {
      const page = await backlog.encodedPage(after, () => head, slices);
      if (!page) throw new Error('no page');
      expect(Buffer.concat(page.pieces).length).toBe(page.bytes);
      pieces.push(Buffer.concat(page.pieces).toString());
      after = page.lastSeq;
    }
    return JSON.parse(`[${pieces.join(',')}]`).map(({ seq }: { seq: number }) => seq);
  }

  // In an earlier release, a hundred agents that each resumed with 4,900 events used 780 MB of strings.
  it('are read and encoded once for all clients that resume together, from any seq', async () => {
    const { log, readLog } = createQuickLog(4_900);
    const backlog = new Backlog(4_900, readLog);
    const sinces = Array.from({ length: 100 }, (_, n) => n);
    const resumed = await Promise.all(sinces.map((since) => resume(backlog, since, 4_900)));
    for (const [since, found] of resumed.entries()) {
      expect(found).toEqual(Array.from({ length: 4_900 - since }, (_, n) => since + n + 1));
    }
    expect(log.reads).toBeLessThanOrEqual(100 + 4_900 / pageEvents);
    backlog.close();
  });

  it('end at the head, and continue from there when it has moved', async () => {
    const { readLog } = createQuickLog(30);
    const backlog = new Backlog(20, readLog);
    expect(await resume(backlog, 10, 20)).toHaveLength(10);
    for (let seq = 21; seq <= 30; seq++) backlog.push(event(seq));
    expect(await resume(backlog, 10, 30)).toEqual(Array.from({ length: 20 }, (_, n) => n + 11));
    backlog.close();
  });

  // The race: a message is deleted after a page with its text was encoded. Invariant: that page is not served again.
  it('are dropped when a message is deleted', async () => {
    const { log, readLog } = createQuickLog(30);
    const backlog = new Backlog(30, readLog);
    await resume(backlog, 0, 30);
    backlog.forgetMessage('m7');
    const reads = log.reads;
    await resume(backlog, 0, 30);
    expect(log.reads).toBe(reads + 1);
    backlog.close();
  });

  // The race: a message is deleted while a page with its text is read, and then another client requests the same
  // page. Invariant: that client gets no page that was read before the deletion.
  it('are read again after a deletion, even if the same page is being read', async () => {
    const reads: { text: string; end: () => void }[] = [];
    let text = 'secret';
    const backlog = new Backlog(1, async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const read = { text, end: resolve };
      reads.push(read);
      await promise;
      const payload = { message: { id: 'm1', content: read.text } };
      const rest = {
        id: 'e1',
        timestamp: 1,
        senderId: 'a',
        senderKind: null,
        channelId: 'c',
        seq: 1,
        epoch: 'e',
      };
      const event = { type: 'collaboration.event' as const, channelId: 'c', name: 'n', payload };
      return [encodeEnvelope({ ...rest, event })];
    });
    const textOf = async (asked: ReturnType<Backlog['encodedPage']>) =>
      Buffer.concat((await asked)?.pieces ?? []).toString();
    const ask = () => textOf(backlog.encodedPage(0, () => 1, slices));
    const before = ask();
    backlog.forgetMessage('m1');
    text = '';
    const after = ask();
    for (const { end } of reads) end();
    await before;
    expect(await after).not.toContain('secret');
    const later = ask();
    for (const { end } of reads) end();
    expect(await later).not.toContain('secret');
    backlog.close();
  });

  it('count in the budget of the rings, and are freed', async () => {
    const budget = createRingBudget();
    const backlog = new Backlog(30, createQuickLog(30).readLog, budget);
    const before = budget.bytes;
    const page = await backlog.encodedPage(0, () => 30, slices);
    await resume(backlog, 0, 30);
    expect(budget.bytes - before).toBeGreaterThanOrEqual(page?.bytes ?? Infinity);
    backlog.close();
    expect(budget.bytes).toBe(0);
  });
});
