import { describe, expect, it } from '@jest/globals';
import { limits } from './limits.ts';
import { notifications } from './notifications.ts';

const welcome = {
  sessionId: 's1',
  agentId: 'alice',
  kind: 'person',
  protocol: 1,
  epoch: 'e1',
  heartbeatMs: 25_000,
  limits: {
    frameBytes: limits.frameBytes,
    contentBytes: limits.contentBytes,
    batch: limits.batch,
    topics: limits.topics,
    inFlight: limits.inFlight,
    resumeEvents: limits.resumeEvents,
    historyPage: limits.historyPage,
    edits: limits.edits,
    streams: limits.streams,
    resumeBytes: limits.resumeBytes,
    logPage: limits.logPage,
  },
  direct: [{ channelId: 'dm_0123456789abcdef0123456789abcdef', head: 3 }],
};
const envelope = {
  id: 'e1',
  event: { type: 'channel.delete', channelId: 'room' },
  timestamp: 1,
  senderId: 'alice',
  senderKind: null,
  channelId: 'room',
  seq: 1,
  epoch: 'e1',
};

describe('notifications', () => {
  it.each([
    ['welcome', welcome],
    ['event', envelope],
    ['notice', envelope],
    ['discontinuity', { channelId: 'room', head: 7, reason: 'epoch' }],
    ['discontinuity', { channelId: 'room', head: 7, reason: 'behind' }],
    ['discontinuity', { channelId: 'room', head: 7, reason: 'trimmed', floor: 8 }],
    ['reconnect', { afterMs: 1500, reason: 'draining' }],
  ] as const)('%s has the shape of the wire contract', (name, params) => {
    expect(notifications[name].params.parse(params)).toEqual(params);
  });

  it('have only the names in this test', () => {
    expect(Object.keys(notifications)).toEqual([
      'welcome',
      'event',
      'notice',
      'discontinuity',
      'reconnect',
    ]);
  });

  it('a hub may announce other limits in welcome than this package’s own', () => {
    const other = { ...welcome, limits: { ...welcome.limits, contentBytes: 64, added: 1 } };
    expect(notifications.welcome.params.parse(other).limits.contentBytes).toBe(64);
    expect(notifications.welcome.params.safeParse({ ...welcome, protocol: 2 }).success).toBe(false);
  });
});
