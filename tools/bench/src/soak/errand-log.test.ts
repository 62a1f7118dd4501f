import { describe, expect, it } from '@jest/globals';
import type { Envelope } from '@openclaw/protocol';
import { errandKey, judgeErrands } from './errand-log.ts';

const log = (...events: readonly object[]) =>
  events.map((event, at) => ({ seq: at + 1, timestamp: at, event }) as unknown as Envelope);
const ask = (to: readonly string[]) => ({
  type: 'channel.message',
  message: { id: 'a1', senderId: 'boss', threadId: null, metadata: { [errandKey]: { to } } },
});
const named = (name: string, payload: object) => ({
  type: 'collaboration.event',
  name,
  payload: { askId: 'a1', threadId: 'a1', ...payload },
});
const granted = (agentId: string, fence: number) => named('claim.granted', { agentId, fence });
const released = (agentId: string, fence: number) => named('claim.released', { agentId, fence });
const did = (agentId: string, state: string) => named(`ask.${state}`, { agentId });
const expired = (...silent: readonly string[]) => named('ask.expired', { silent });
const answer = (id: string, senderId: string, fence: number) => ({
  type: 'thread.message',
  message: {
    ...{ id, senderId, threadId: 'a1', content: '', state: 'streaming' },
    metadata: { [errandKey]: { fence } },
  },
});
const end = (id: string, state: string, content: string) => ({
  type: 'channel.message.edit',
  message: { id, state, content },
});

function judge(
  events: readonly object[],
  { seen = ['ann', 'bob'], finished = {} }: { seen?: string[]; finished?: object } = {},
) {
  const kinds: string[] = [];
  const witness = {
    seen: new Map(seen.map((agentId) => [agentId, new Set(['a1'])])),
    finished: new Map(Object.entries(finished) as [string, string][]),
  };
  const totals = judgeErrands(log(...events), witness, (kind) => kinds.push(kind));
  return { kinds, totals };
}

const both = ask(['ann', 'bob']);

describe('the log of errands', () => {
  it('passes when each addressee ends once, fences rise and answers are whole', () => {
    const events = [
      ...[both, granted('ann', 1), answer('m1', 'ann', 1), did('ann', 'accepted')],
      ...[end('m1', 'interrupted', 'wh'), released('ann', 1), granted('bob', 2)],
      ...[end('m1', 'complete', 'whole'), did('ann', 'done'), expired('bob')],
    ];
    const { kinds, totals } = judge(events, { finished: { m1: 'whole' } });
    expect(kinds).toEqual([]);
    expect(totals).toEqual({
      ...{ asks: 1, done: 1, declined: 0, expired: 1 },
      ...{ answers: 1, interrupted: 1, takeovers: 1 },
    });
  });

  it.each<[string, readonly object[], object?]>([
    ['ask without end', [both, did('ann', 'done')]],
    ['ask ended twice', [both, did('bob', 'done'), expired('ann', 'bob')]],
    ['ask ended twice', [both, expired('ann')]],
    ['ask ended twice', [both, expired('ann', 'bob'), expired()]],
    ['ask ended twice', [both, expired('ann', 'bob'), did('ann', 'declined')]],
    ['inbox lost', [both, expired('ann', 'bob')], { seen: ['ann'] }],
    ['stale fence', [both, granted('ann', 1), granted('bob', 2), expired('ann', 'bob')]],
    ['stale fence', [both, granted('ann', 2), expired('ann', 'bob')]],
    [
      'stale fence',
      [
        ...[both, granted('ann', 1), released('ann', 1), granted('bob', 2)],
        ...[answer('m1', 'ann', 1), end('m1', 'complete', ''), expired('ann', 'bob')],
      ],
    ],
    ['stream broken', [both, granted('ann', 1), answer('m1', 'ann', 1), expired('ann', 'bob')]],
    ['stream broken', [both, expired('ann', 'bob')], { finished: { m1: 'whole' } }],
    [
      'stream broken',
      [
        ...[both, granted('ann', 1), answer('m1', 'ann', 1), end('m1', 'complete', 'who')],
        expired('ann', 'bob'),
      ],
      { finished: { m1: 'whole' } },
    ],
  ])('reports %s (%#)', (kind, events, witness = {}) => {
    expect(judge(events, witness).kinds).toContain(kind);
  });
});
