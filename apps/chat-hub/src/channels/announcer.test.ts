import { expect, it } from '@jest/globals';
import type { ChannelAnnouncement } from '@openclaw/protocol';
import { createAnnouncer } from './announcer.ts';

// A hostile agent creates and deletes channels as fast as its limits allow. Invariant: announcements to all sockets
// have a bounded rate, and continue after such a flood.
it('announcements are sent up to a rate, and the others are dropped and counted', () => {
  let nowMs = 0;
  let dropped = 0;
  const published: string[] = [];
  const announce = createAnnouncer({
    publish: ({ payload }) => void published.push(payload['channelId'] as string),
    onDropped: () => void (dropped += 1),
    clock: () => nowMs,
  });
  const sender = { agentId: 'ana' } as Parameters<typeof announce>[1];
  const created = (channelId: string): ChannelAnnouncement => ({
    ...{ channelId, name: channelId, change: 'created' },
  });
  for (let i = 0; i < 1_000; i += 1) announce(created(`c${i}`), sender);
  expect([published.length, dropped]).toEqual([200, 800]);
  nowMs += 1_000;
  for (let i = 0; i < 100; i += 1) announce(created(`later${i}`), sender);
  expect([published.length, dropped]).toEqual([220, 880]);
  expect(published.at(-1)).toBe('later19');
  nowMs += 3_600_000;
  for (let i = 0; i < 1_000; i += 1) announce(created('last'), sender);
  expect(published.length).toBe(420);
});
