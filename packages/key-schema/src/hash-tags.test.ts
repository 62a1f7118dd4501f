import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createKeySchema } from './index.ts';

/** CRC16 of the Redis Cluster specification: polynomial 0x1021, initial value 0. */
function crc16(text: string): number {
  let crc = 0;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
    }
  }
  return crc;
}

/** Redis hashes the text between the first brace and the next closing one, else the whole key. */
function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return crc16(open >= 0 && close > open + 1 ? key.slice(open + 1, close) : key) % 16_384;
}

const keys = createKeySchema({ hashTags: true });
const channelNames = (channelId: string) => [
  keys.channelTopic(channelId),
  keys.presence(channelId, 'tech-lead'),
  keys.presence(channelId, 'qa-lead'),
  keys.roster(channelId),
  keys.rosterAgents(channelId),
  keys.typing(channelId),
  keys.turns(channelId),
  keys.turnStates(channelId),
  keys.channel(channelId),
  keys.channelMembers(channelId),
  keys.recentMessages(channelId),
  keys.sequence(channelId),
];

describe('hash tags', () => {
  it('are computed here as Redis computes them', () => {
    expect(crc16('123456789')).toBe(0x31c3);
    expect(slotOf('foo')).toBe(12_182);
    expect(slotOf('{user1000}.following')).toBe(slotOf('{user1000}.followers'));
  });

  it('are braces around the id, and leave the name unchanged otherwise', () => {
    expect(keys.channelTopic('c1')).toBe('openclaw:pubsub:channel:{c1}');
    expect(keys.presence('c1', 'a1')).toBe('openclaw:presence:{c1}:a1');
    expect(keys.channelMembers('c1')).toBe('openclaw:channel:{c1}:members');
    expect(keys.rateLimit('message', 'a1')).toBe('openclaw:ratelimit:message:{a1}');
  });

  it("put one channel's keys and its topic into one slot", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,20}$/), (channelId) => {
        expect(new Set(channelNames(channelId).map(slotOf)).size).toBe(1);
      }),
    );
  });

  it("put one agent's counter and its window into one slot", () => {
    expect(slotOf(keys.rateLimit('message', 'a1'))).toBe(
      slotOf(keys.rateLimitWindow('message', 'a1')),
    );
  });

  it('put a cached value and its lease into one slot', () => {
    expect(slotOf(keys.cachedValue('n1'))).toBe(slotOf(keys.cachedValueLease('n1')));
  });

  it('spread different channels over the slots', () => {
    const slots = Array.from({ length: 1_000 }, (_, index) =>
      slotOf(keys.typing(`channel-${index}`)),
    );
    expect(new Set(slots).size).toBeGreaterThan(900);
  });

  it('are absent by default, and then the keys of a channel have different slots', () => {
    const plain = createKeySchema();
    expect(plain.typing('c1')).not.toContain('{');
    expect(slotOf(plain.typing('c1'))).not.toBe(slotOf(plain.roster('c1')));
  });
});
