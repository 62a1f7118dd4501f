import { expect } from '@jest/globals';
import { methods, type ParamsInputOf, type ResultOf } from '@openclaw/protocol';
import type { ChatStore, ReadMethod } from '@openclaw/chat-store';
import type { MadeCall } from './call.ts';
import type { ChannelState } from './channel-state.ts';

type Store = Pick<ChatStore, 'read'>;

async function read<M extends ReadMethod>(
  store: Store,
  agentId: string,
  method: M,
  params: ParamsInputOf<M>,
): Promise<ResultOf<M>> {
  const actor = { agentId, isAdmin: agentId.startsWith('admin') };
  const answer = await store.read(actor, method, methods[method].params.parse(params) as never);
  if (!answer.ok) throw new Error(`${method} of ${agentId} was refused: ${answer.code}`);
  return answer.result;
}

export async function checkProjections(
  store: Store,
  channelId: string,
  state: ChannelState,
): Promise<void> {
  const admin = 'admin-reading';
  const { channel, isDeleted, head } = state;
  if (!channel || isDeleted) {
    await expect(read(store, admin, 'channel.get', { channelId })).rejects.toThrow('not_found');
    return;
  }
  expect((await read(store, admin, 'channel.get', { channelId })).channel).toEqual({
    ...channel,
    head,
  });
  const { members } = await read(store, admin, 'member.list', { channelId, limit: 200 });
  expect(members).toEqual([...state.members.values()].sort(byId('agentId')));
  const messages = [];
  for (let after = 0, hasMore = true; hasMore; after = messages.at(-1)?.seq ?? 0) {
    const page = await read(store, admin, 'message.history', { channelId, after, limit: 7 });
    messages.push(...page.messages);
    hasMore = page.hasMore;
  }
  expect(messages).toEqual([...state.messages.values()]);
  const { threads } = await read(store, admin, 'thread.list', { channelId, limit: 200 });
  const expectedThreads = [...state.threads.values()].map(
    ({ isAnnounced: _isAnnounced, ...thread }) => thread,
  );
  expect(threads.sort(byId('threadId'))).toEqual(expectedThreads.sort(byId('threadId')));
}

/**
 * The cursor must lie between the highest mark that certainly took effect and the highest mark that may have taken
 * effect.
 */
export async function checkReadState(
  store: Store,
  agentId: string,
  channels: readonly { channelId: string; state: ChannelState; calls: readonly MadeCall[] }[],
): Promise<void> {
  const answered = await read(store, agentId, 'read.state', {});
  const mine = channels.filter(({ state }) => state.members.has(agentId) && !state.isDeleted);
  for (const { channelId, state, calls } of mine) {
    const found = answered.channels.find((one) => one.channelId === channelId);
    if (!found) throw new Error(`read.state of ${agentId} lacks ${channelId}`);
    const marks = calls.flatMap(({ call, outcome }) =>
      call.method === 'read.mark' && call.actor.agentId === agentId
        ? [{ seq: call.params.seq, isMade: outcome?.ok === true, mayBe: outcome?.ok !== false }]
        : [],
    );
    const highest = Math.max(0, ...marks.filter(({ mayBe }) => mayBe).map(({ seq }) => seq));
    expect(found.seq).toBeLessThanOrEqual(Math.min(highest, state.head));
    // If a mark is beyond the head, the hub lowers the mark to the head at that time, which the model does not know.
    // Every head is at least 1, so only marks up to 1 are certainly kept as they were sent.
    const sure = marks.filter(({ isMade, seq }) => isMade && seq <= 1);
    expect(found.seq).toBeGreaterThanOrEqual(Math.max(0, ...sure.map(({ seq }) => seq)));
    const unread = [...state.messages.values()].filter(
      ({ seq, senderId, deletedAt }) =>
        seq > found.seq && senderId !== agentId && deletedAt === null,
    );
    const mentions = state.mentions.filter((one) => one.agentId === agentId && one.seq > found.seq);
    expect(found).toEqual({
      channelId,
      seq: found.seq,
      head: state.head,
      unread: unread.length,
      mentions: mentions.length,
    });
  }
  const listed = answered.channels.map(({ channelId }) => channelId);
  const known = channels.map(({ channelId }) => channelId);
  expect(listed.filter((channelId) => known.includes(channelId)).sort()).toEqual(
    mine.map(({ channelId }) => channelId).sort(),
  );
}

const byId =
  <K extends string>(key: K) =>
  (a: Record<K, string>, b: Record<K, string>) =>
    a[key] < b[key] ? -1 : 1;
