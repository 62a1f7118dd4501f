import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { range } from '../testing/seqs.ts';
import { startTestHub, temporaryDatabase } from '../testing/test-hub.ts';

const database = closeAfterAll(await temporaryDatabase());
const environment = { HUB_DB_URL: database.url, HUB_RETENTION_MAX_MESSAGES: '10' };
const hub = closeAfterAll(await startTestHub(environment, { sweepEveryMs: 50 }));
// The store of this hub does not sweep before the test ends, so the hub learns of trims only from its reads.
const other = closeAfterAll(await startTestHub({ HUB_DB_URL: database.url }));

/** Leaves 10 of 29 messages in the channel: seqs 22 to 31. */
async function trimmedChannel(channelId: string) {
  const [ana, ben] = [await hub.connect('ana'), await other.connect('ben')];
  await ana.call('channel.create', { channelId, name: channelId });
  await ben.call('channel.join', { channelId });
  for (const socket of [ana, ben]) await socket.call('subscribe', { topics: [{ channelId }] });
  const sent = [];
  for (const n of range(1, 29)) {
    sent.push(await ana.call('message.send', { channelId, content: `text ${n}` }));
    if (n === 29) await ben.call('message.history', { channelId });
  }
  await ben.event((envelope) => envelope.seq === 31);
  const floor = async () => (await ana.call('log.read', { channelId, after: 0 })).floor;
  await waitFor(async () => (await floor()) === 22, { what: 'the trim' });
  return { ana, ben, sent };
}

describe('a trimmed log', () => {
  it('is not resumed from before its floor, on any hub', async () => {
    const { ana, ben } = await trimmedChannel('resumed');
    for (const socket of [ana, ben]) {
      const from = async (since: number) => {
        const topics = [{ channelId: 'resumed', since }];
        return (await socket.call('subscribe', { topics })).topics[0];
      };
      const trimmed = { head: 31, floor: 22, resumed: false, events: [] };
      expect(await from(0)).toMatchObject(trimmed);
      expect(await from(20)).toMatchObject(trimmed);
      const rest = await from(21);
      expect(rest).toMatchObject({ head: 31, floor: 22, resumed: true });
      expect(rest.events.map(({ seq }: { seq: number }) => seq)).toEqual(range(22, 31));
      // Each of the two refused resumes causes one notification; the last resume causes none. Notifications with
      // another head are not counted, because they report events that were trimmed before their delivery.
      const params = { channelId: 'resumed', head: 31, reason: 'trimmed', floor: 22 };
      const seen = () =>
        socket.received.filter(
          ({ method, params: seen }) => method === 'discontinuity' && seen.head === 31,
        );
      await waitFor(() => seen().length >= 2, { what: 'the discontinuities' });
      expect(seen()).toEqual([
        expect.objectContaining({ params }),
        expect.objectContaining({ params }),
      ]);
      await socket.close();
    }
  });

  it('shows no trimmed message, also from caches', async () => {
    const { ana, ben, sent } = await trimmedChannel('shown');
    const channelId = 'shown';
    for (const socket of [ana, ben]) {
      for (const limit of [5, 50]) {
        const page = await socket.call('message.history', { channelId, limit });
        expect(page).toMatchObject({ head: 31, hasMore: limit === 5 });
        const seqs = page.messages.map(({ seq }: { seq: number }) => seq);
        expect(seqs).toEqual(range(limit === 5 ? 27 : 22, 31));
      }
      const page = await socket.call('log.read', { channelId, after: 3, limit: 2 });
      expect(page).toMatchObject({ floor: 22, head: 31, hasMore: true });
      expect(page.events.map(({ seq }: { seq: number }) => seq)).toEqual([22, 23]);
      const threadId = sent[0].messageId;
      const reply = socket.call('message.send', { channelId, threadId, content: 'late' });
      await expect(reply).rejects.toMatchObject({ code: 'not_found' });
    }
    await ana.close();
    await ben.close();
  });

  it('goes on live without a discontinuity for clients that are at its head', async () => {
    const { ana, ben } = await trimmedChannel('live');
    await ana.call('message.send', { channelId: 'live', content: 'next' });
    await ben.event(({ seq, channelId }) => channelId === 'live' && seq === 32);
    await ana.event(({ seq, channelId }) => channelId === 'live' && seq === 32);
    expect(ana.received.filter(({ method }) => method === 'discontinuity')).toEqual([]);
    await ana.close();
    await ben.close();
  });

  it('is counted in the metrics of the hub that trimmed it', async () => {
    const { ana, ben } = await trimmedChannel('counted');
    const value = async (of: typeof hub, name: string) => {
      const text = await (await fetch(new URL('/metrics', of.wsUrl.replace(/^ws/, 'http')))).text();
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    };
    expect(await value(hub, 'hub_retention_trimmed_events_total')).toBeGreaterThanOrEqual(21);
    await waitFor(
      async () => {
        const atSeconds = await value(hub, 'hub_retention_last_pass_timestamp_seconds');
        return Math.abs(atSeconds - Date.now() / 1_000) < 60;
      },
      { what: 'the end of a pass' },
    );
    // Negative control: the other hub sweeps nothing.
    expect(await value(other, 'hub_retention_trimmed_events_total')).toBe(0);
    expect(await value(other, 'hub_retention_last_pass_timestamp_seconds')).toBe(0);
    await ana.close();
    await ben.close();
  });

  it('is trimmed by the limits that its owner sets', async () => {
    await using ana = await hub.connect('ana');
    const channelId = 'own';
    await ana.call('channel.create', { channelId, name: 'Own', maxMessages: 2 });
    await ana.call('channel.update', { channelId, retentionMs: 3_600_000 });
    const { channel } = await ana.call('channel.get', { channelId });
    expect(channel).toMatchObject({ maxMessages: 2, retentionMs: 3_600_000 });
    for (const n of range(1, 5)) await ana.call('message.send', { channelId, content: `${n}` });
    const floor = async () => (await ana.call('log.read', { channelId, after: 0 })).floor;
    await waitFor(async () => (await floor()) === 6, { what: 'the trim' });
  });
});
