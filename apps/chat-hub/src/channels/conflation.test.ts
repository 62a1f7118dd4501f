import { describe, expect, it } from '@jest/globals';
import { encodeEnvelope, type ChannelEvent } from '@openclaw/protocol';
import { Conflation, signalsOf } from './conflation.ts';

let ids = 0;
const channelId = 'c';
const encoded = (event: ChannelEvent, seq: number | null = null) =>
  encodeEnvelope({
    id: `e${(ids += 1)}`,
    event,
    timestamp: ids,
    senderId: 's',
    senderKind: null,
    channelId,
    seq,
    epoch: 'e',
  });
const presence = (...agentIds: string[]) =>
  encoded({
    type: 'channel.presence',
    channelId,
    presences: agentIds.map((agentId) => ({
      agentId,
      status: 'online',
      customStatus: null,
      avatar: null,
      lastSeen: ids,
    })),
  });
const typing = (agentId: string, threadId: string | null = null) =>
  encoded({ type: 'channel.typing', channelId, agentId, typing: true, threadId });

describe('conflation', () => {
  it('takes only events without a seq as signals', () => {
    const durable = encoded({ type: 'channel.delete', channelId }, 1);
    const signals = signalsOf([typing('a'), durable, presence('a', 'b')]);
    expect(signals.map(({ keys }) => keys)).toEqual([['typing a:'], ['presence a', 'presence b']]);
  });

  it('keeps the latest typing of each agent and thread', () => {
    const kept = new Conflation<object>();
    const channel = {};
    const [outside, inThread, other] = [typing('a'), typing('a', 't'), typing('b', 't')];
    kept.keep(channel, signalsOf([typing('a', 't'), typing('b', 't'), outside]));
    kept.keep(channel, signalsOf([inThread, other]));
    expect(kept.take(channel)).toEqual([outside, inThread, other]);
  });

  it('returns events unchanged, or without the presences that later events replaced', () => {
    const kept = new Conflation<object>();
    const channel = {};
    const [whole, partly, later] = [presence('x', 'y'), presence('a', 'b', 'c'), presence('b')];
    kept.keep(channel, signalsOf([whole, partly]));
    kept.keep(channel, signalsOf([later]));
    const [first, second, third, ...none] = kept.take(channel);
    expect([first, third, none]).toEqual([whole, later, []]);
    expect(second).toMatchObject({ id: partly.id, timestamp: partly.timestamp, seq: null });
    const { presences } = JSON.parse(second?.json ?? '').event;
    expect(presences.map(({ agentId }: { agentId: string }) => agentId)).toEqual(['a', 'c']);
    expect(kept.next()).toBeUndefined();
  });

  it('reports when it holds more than its limit over all channels, and not before', () => {
    const kept = new Conflation<object>();
    const [one, two] = [{}, {}];
    const some = (from: number, count: number) =>
      signalsOf(Array.from({ length: count }, (_, n) => typing(`a${from + n}`)));
    expect(kept.keep(one, some(0, 5_000))).toBe(true);
    expect(kept.keep(two, some(0, 5_000))).toBe(true);
    expect(kept.keep(two, some(0, 5_000))).toBe(true);
    expect(kept.keep(one, some(5_000, 1))).toBe(false);
    kept.forget(one);
    expect(kept.keep(two, some(5_000, 5_000))).toBe(true);
  });
});
