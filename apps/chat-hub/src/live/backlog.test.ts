import { describe, expect, it } from '@jest/globals';
import { encodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import { Backlog } from './backlog.ts';

function event(seq: number, messageId = `m${seq}`): EncodedEnvelope {
  const payload = { message: { id: messageId } };
  return encodeEnvelope({
    ...{ id: `e${seq}`, timestamp: 1, senderId: 'a', channelId: 'c', seq, epoch: 'e' },
    event: { type: 'collaboration.event', channelId: 'c', name: 'n', payload },
  });
}
const seqs = (events: readonly EncodedEnvelope[] | null) => events?.map(({ seq }) => seq) ?? null;

/** A log of 1…`length`, and how often it was read; reads end when the test says so. */
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
  it('reads the store once, however many come back at once, and not again for those a moment later', async () => {
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

  it('joins what it reads to what was delivered meanwhile, without a hole or a double', async () => {
    const { log, readLog } = createLog(52);
    const backlog = new Backlog(50, readLog);
    const page = backlog.page(48);
    backlog.push(event(51));
    log.release();
    expect(seqs(await page)).toEqual([49, 50, 51, 52]);
    expect(seqs(backlog.after(48))).toEqual([49, 50, 51]);
  });

  it('remembers no page that would leave a hole before what it has', async () => {
    const { log, readLog } = createLog(50, 10);
    const backlog = new Backlog(50, readLog);
    const page = backlog.page(10);
    log.release();
    expect(seqs(await page)).toHaveLength(10);
    expect(backlog.after(10)).toBeNull();
    expect(seqs(backlog.after(50))).toEqual([]);
  });

  // The race: a page is read from the store, and before it arrives the message in it is deleted, here or elsewhere.
  it('remembers no page during whose reading a message was deleted', async () => {
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
