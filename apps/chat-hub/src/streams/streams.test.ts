import { afterEach, describe, expect, it } from '@jest/globals';
import type { Refusal, StreamPiece } from '@openclaw/chat-store';
import {
  appendedText,
  encodeEnvelope,
  limits,
  type AgentKind,
  type ChannelEvent,
  type EncodedEnvelope,
  type EventOf,
  type MessageDeltaPayload,
} from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { pino } from 'pino';
import { identityOf } from '../testing/identity.ts';
import type { Room } from '../channels/room.ts';
import type { StreamBudget } from './stream-texts.ts';
import { createStreams } from './streams.ts';

const kib = 1_024;
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((streams) => streams.close()));
});

function createBench(budget?: StreamBudget) {
  const texts = new Map<string, string>();
  const pieces: StreamPiece[] = [];
  const deltas: (MessageDeltaPayload & { readonly atMs: number })[] = [];
  const watchers = new Map<string, (seq: number | null) => void>();
  let newest: EncodedEnvelope | null = null;
  const opening: (() => void)[] = [];
  const roomOf = (channelId: string) =>
    ({
      watch(listener) {
        watchers.set(channelId, listener);
        return () => watchers.delete(channelId);
      },
      after: () => (newest ? [newest] : null),
    }) as Partial<Room> as Room;
  const bench = {
    texts,
    pieces,
    deltas,
    isAway: false,
    reads: 0,
    /** If false, rooms exist only once `openRooms` is called. */
    hasRooms: true,
    openRooms() {
      bench.hasRooms = true;
      for (const open of opening.splice(0)) open();
    },
    followed: () => [...watchers.keys()],
    deliver(event: ChannelEvent) {
      const sender = { senderId: 'root', senderKind: 'person' } as const;
      const place = { id: 'e1', timestamp: 1, channelId: 'c', seq: 1, epoch: 'e' };
      newest = encodeEnvelope({ ...place, ...sender, event });
      watchers.get('c')?.(1);
    },
    append: async (
      agentId: string,
      messageId: string,
      from: number,
      text: string,
      channelId = 'c',
      kind: AgentKind = 'agent',
    ) => {
      const params = { channelId, messageId, from, text };
      const answer = await streams.append(identityOf(agentId, { kind }), params);
      return answer.ok ? answer.result.length : answer.code;
    },
  };
  const notStreaming: Refusal = { ok: false, code: 'conflict', message: 'complete' };
  const streams = createStreams({
    store: {
      async readStream(_actor, _channelId, messageId) {
        bench.reads += 1;
        const text = texts.get(messageId);
        return text === undefined ? notStreaming : { ok: true, text };
      },
      async checkpointStreams(given) {
        if (bench.isAway) throw new Error('away');
        pieces.push(...given);
        return given.map(({ messageId, from, text }) => {
          const before = texts.get(messageId);
          const after = before === undefined ? null : appendedText(before, from, text);
          if (after !== null) texts.set(messageId, after);
          return { messageId, length: after?.length ?? null };
        });
      },
    },
    publisher: {
      publishEphemeral(event) {
        const { payload } = event as EventOf<'collaboration.event'>;
        const delta = payload as unknown as MessageDeltaPayload;
        deltas.push({ ...delta, atMs: performance.now() });
      },
    },
    rooms: {
      get: (channelId) => (bench.hasRooms ? roomOf(channelId) : undefined),
      open: (channelId) => new Promise((resolve) => opening.push(() => resolve(roomOf(channelId)))),
      left: () => undefined,
    },
    log: pino({ level: 'silent' }),
    ...(budget && { budget }),
  });
  open.push(streams);
  return Object.assign(bench, { streams });
}

describe('the texts of growing messages in a hub', () => {
  it('are sent at most each 125 ms, and checkpointed each second or 4 KiB, each character once', async () => {
    const { append, deltas, pieces, texts } = createBench();
    texts.set('m', '');
    const startMs = performance.now();
    let length = 0;
    while (performance.now() - startMs < 1_300) {
      length = (await append('ana', 'm', length, 'word ')) as number;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await waitFor(() => deltas.at(-1)!.from + deltas.at(-1)!.text.length === length);
    deltas.slice(1).forEach(({ atMs }, at) => {
      expect(atMs - deltas[at]!.atMs).toBeGreaterThanOrEqual(124);
    });
    expect(deltas.map(({ text }) => text).join('')).toHaveLength(length);
    expect(pieces).toHaveLength(1);
    const before = pieces.length;
    await append('ana', 'm', length, 'x'.repeat(4 * kib));
    await waitFor(() => pieces.length > before, { timeoutMs: 500 });
    expect(pieces.map(({ text }) => text).join('')).toBe(texts.get('m'));
  });

  it('wait while the database is away, and are checkpointed by a hub that closes', async () => {
    const bench = createBench();
    bench.texts.set('m', '');
    bench.isAway = true;
    expect(await bench.append('ana', 'm', 0, 'x'.repeat(5 * kib))).toBe(5 * kib);
    expect(await bench.append('ana', 'm', 5 * kib, 'y')).toBe(5 * kib + 1);
    bench.isAway = false;
    await bench.streams.close();
    expect(bench.texts.get('m')).toHaveLength(5 * kib + 1);
  });

  it('are forgotten when the message has ended elsewhere, and read again by the next append', async () => {
    const bench = createBench();
    bench.texts.set('m', '');
    await bench.append('ana', 'm', 0, 'mine');
    bench.texts.delete('m');
    await waitFor(() => bench.streams.bytes === 0, { timeoutMs: 3_000 });
    expect(await bench.append('ana', 'm', 4, '!')).toBe('conflict');
  });

  it('are bounded for an agent and for the hub: checkpointed ones go first, then appends are refused', async () => {
    const text = 'x'.repeat(10 * kib);
    const bench = createBench({ agentBytes: 64 * kib, hubBytes: 96 * kib });
    bench.isAway = true;
    for (const id of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) bench.texts.set(id, '');
    for (const id of ['a1', 'a2', 'a3'])
      expect(await bench.append('ana', id, 0, text)).toBe(10 * kib);
    // None of this agent's text is in the database yet, so no text may be forgotten.
    expect(await bench.append('ana', 'a4', 0, text)).toBe('rate_limited');
    // Another agent has room until the hub is full.
    expect(await bench.append('ben', 'b1', 0, text)).toBe(10 * kib);
    expect(await bench.append('ben', 'b2', 0, text)).toBe('rate_limited');
    expect(bench.streams.bytes).toBeLessThanOrEqual(96 * kib);
    bench.isAway = false;
    await waitFor(() => bench.texts.get('b1') === text && bench.texts.get('a3') === text);
    await waitFor(async () => (await bench.append('cai', 'c1', 0, text)) === 10 * kib);
    expect(await bench.append('ana', 'a4', 0, text)).toBe(10 * kib);
    expect(bench.streams.bytes).toBeLessThanOrEqual(96 * kib);
    const { reads } = bench;
    expect(await bench.append('ana', 'a1', 10 * kib, 'y')).toBe(10 * kib + 1);
    expect(bench.reads).toBe(reads + 1);
  });

  // The fault: when a text grew over its agent's budget, the same text was forgotten to free memory. The count of bytes
  // fell below zero, so the budget no longer held.
  it('are not forgotten for their own growth', async () => {
    const text = 'x'.repeat(10 * kib);
    const bench = createBench({ agentBytes: 40 * kib, hubBytes: 96 * kib });
    bench.texts.set('m', '');
    expect(await bench.append('ana', 'm', 0, text)).toBe(10 * kib);
    await waitFor(() => bench.texts.get('m') === text);
    expect(await bench.append('ana', 'm', 10 * kib, text)).toBe('rate_limited');
    expect(await bench.append('ana', 'm', 10 * kib, 'x'.repeat(kib))).toBe(11 * kib);
    bench.streams.ended(identityOf('ana'), 'm');
    expect(bench.streams.bytes).toBe(0);
  });

  // The race: two appends wait for their texts, and the second text needs the memory of the first.
  // Invariant: no append continues on a text that was forgotten.
  it('are read again when another text took their room before they grew', async () => {
    const text = 'x'.repeat(10 * kib);
    const bench = createBench({ agentBytes: 24 * kib, hubBytes: 96 * kib });
    for (const id of ['m', 'n']) bench.texts.set(id, text);
    const grown = await Promise.all(['m', 'n'].map((id) => bench.append('ana', id, 10 * kib, 'y')));
    expect(grown).toEqual(['rate_limited', 10 * kib + 1]);
    bench.streams.ended(identityOf('ana'), 'n');
    expect(bench.streams.bytes).toBe(0);
  });

  // The fault: a hub followed every channel in which a message had grown, as long as any message grew anywhere. The
  // rooms and subscriptions never closed.
  it('have their channel’s log followed until the last of them has ended', async () => {
    const bench = createBench();
    for (const id of ['m', 'n', 'other']) bench.texts.set(id, '');
    for (const id of ['m', 'n']) await bench.append('ana', id, 0, 'x');
    await bench.append('ben', 'other', 0, 'x', 'd');
    expect(bench.followed()).toEqual(['c', 'd']);
    bench.streams.ended(identityOf('ana'), 'm');
    expect(bench.followed()).toEqual(['c', 'd']);
    bench.streams.ended(identityOf('ana'), 'n');
    expect(bench.followed()).toEqual(['d']);
  });

  // The fault: an archive or a freeze interrupts only 50 messages in its transaction. The texts of the other messages
  // kept growing until the next check of the streams.
  it.each([
    { event: { type: 'channel.delete', channelId: 'c' }, isForgotten: true },
    { event: named('freeze.set'), isForgotten: true },
    { event: named('freeze.lifted'), isForgotten: false },
  ] as const)('hear of $event.type $event.name: $isForgotten', async ({ event, isForgotten }) => {
    const bench = createBench();
    bench.texts.set('m', '');
    await bench.append('ana', 'm', 0, 'x');
    bench.deliver(event);
    expect(bench.streams.bytes === 0).toBe(isForgotten);
    expect(bench.followed()).toEqual(isForgotten ? [] : ['c']);
  });

  // The fault: a freeze, which stops agents only, made the hub forget texts of persons before their checkpoint.
  // Invariant: text that may go on growing is kept.
  it('of persons and services are kept over a freeze of the channel', async () => {
    const bench = createBench();
    bench.isAway = true;
    for (const kind of ['agent', 'person', 'service'] as const) {
      bench.texts.set(kind, '');
      await bench.append(kind, kind, 0, 'x', 'c', kind);
    }
    bench.deliver(named('freeze.set'));
    bench.isAway = false;
    await bench.streams.close();
    expect(Object.fromEntries(bench.texts)).toEqual({ agent: '', person: 'x', service: 'x' });
  });

  // The race: the hub closes while a channel's room is opened. Invariant: a closed hub follows no log.
  it.each([
    { isClosed: false, followed: ['c'] },
    { isClosed: true, followed: [] },
  ])('follow a room that opens late, unless the hub closed: $isClosed', async (late) => {
    const bench = createBench();
    bench.hasRooms = false;
    bench.texts.set('m', '');
    await bench.append('ana', 'm', 0, 'x');
    if (late.isClosed) await bench.streams.close();
    bench.openRooms();
    await new Promise(setImmediate);
    expect(bench.followed()).toEqual(late.followed);
  });

  it('take no more than a message may', async () => {
    const bench = createBench();
    bench.texts.set('m', '');
    const most = 'ä'.repeat(limits.contentBytes / 2);
    expect(await bench.append('ana', 'm', 0, `${most}x`)).toBe('too_large');
    expect(await bench.append('ana', 'm', 0, most)).toBe(most.length);
    expect(await bench.append('ana', 'm', most.length, 'x')).toBe('too_large');
    expect(await bench.append('ana', 'm', 0, most)).toBe(most.length);
  });
});

function named(name: string): EventOf<'collaboration.event'> {
  return { type: 'collaboration.event', channelId: 'c', name, payload: {} };
}
