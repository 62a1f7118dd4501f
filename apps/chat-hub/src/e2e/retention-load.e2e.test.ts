import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { range } from '../testing/seqs.ts';
import { startTwoHubsOn } from '../testing/two-hubs.ts';

const perSender = 300;
const channelId = 'busy';

interface Received {
  readonly method?: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- notifications of several shapes
  readonly params?: any;
}

/**
 * Returns each unexpected seq. The expected seq follows the last event, or is the floor that a discontinuity reported.
 */
function unreportedHoles(received: readonly Received[], from: number): number[] {
  const wrong: number[] = [];
  let next = from + 1;
  for (const { method, params } of received) {
    if (method === 'discontinuity') next = params.floor;
    if (method !== 'event' || params.seq === null) continue;
    if (params.seq !== next) wrong.push(params.seq);
    next = params.seq + 1;
  }
  return wrong;
}

// The log is trimmed to one message while both hubs receive messages, so rooms, pages and resumes constantly reach
// the floor.
describe.each(['SQLite', 'PostgreSQL'] as const)('a log trimmed under load on %s', (engine) => {
  // Invariants: a live reader gets the events in order. Where events were trimmed, it is notified of the floor before
  // the next event. A resume is complete, or reports that it is not.
  it('is delivered in order, and reports every hole', async () => {
    const variables = { HUB_RETENTION_MAX_MESSAGES: '1', HUB_LIMIT_MESSAGE: '1000000/60' };
    await using started = await startTwoHubsOn(engine, variables, { sweepEveryMs: 5 });
    const { hubs } = started;
    const [owner, other] = [await hubs[0].connect('owner'), await hubs[1].connect('other')];
    await owner.call('channel.create', { channelId, name: channelId });
    await other.call('channel.join', { channelId });
    const readers = [await hubs[0].connect('owner'), await hubs[1].connect('other')];
    const subscribe = async (socket: (typeof readers)[number], since?: number) => {
      const topics = [since === undefined ? { channelId } : { channelId, since }];
      return (await socket.call('subscribe', { topics })).topics[0];
    };
    const heads: number[] = [];
    for (const reader of readers) heads.push((await subscribe(reader)).head);

    const seqs: number[] = [];
    const resumes: string[] = [];
    const send = async (sender: number, n: number) => {
      const call = { channelId, content: `text ${n}`, clientMessageId: `${sender}-${n}` };
      const sent = await [owner, other][sender]?.call('message.send', call);
      seqs.push(sent.seq);
      if (n % 10 > 0) return;
      await using late = await hubs[n % 20 === 0 ? 0 : 1].connect('owner');
      const since = Math.max(0, sent.seq - (n % 50));
      const answer = await subscribe(late, since);
      const got = answer.events.map(({ seq }: { seq: number }) => seq);
      resumes.push(answer.resumed ? 'resumed' : 'refused');
      if (answer.resumed) expect(got).toEqual(range(since + 1, since + got.length));
      else expect(answer.floor).toBeGreaterThan(since + 1);
    };
    const sending = [0, 1].map(async (sender) => {
      for (const n of range(1, perSender)) await send(sender, n);
    });
    await Promise.all(sending);
    expect([...new Set(seqs)].sort((a, b) => a - b)).toEqual(range(3, 2 * perSender + 2));
    const head = 2 * perSender + 2;
    for (const [index, reader] of readers.entries()) {
      const isAtHead = () => reader.received.some(({ params }) => params?.seq === head);
      await waitFor(isAtHead, { what: `seq ${head} at reader ${index}` });
      expect(unreportedHoles(reader.received, heads[index] ?? 0)).toEqual([]);
    }
    const page = async () => owner.call('log.read', { channelId, after: 0 });
    await waitFor(async () => (await page()).floor === head, {
      ...{ what: 'the last trim', timeoutMs: 90_000 },
    });
    expect((await page()).events.map(({ seq }: { seq: number }) => seq)).toEqual([head]);
    // Negative control: the hubs trimmed while clients resumed.
    expect(resumes).toContain('refused');
    for (const socket of [...readers, owner, other]) await socket.close();
  }, 180_000);
});
