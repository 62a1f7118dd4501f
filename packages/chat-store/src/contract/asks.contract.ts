import { describe, expect, it } from '@jest/globals';
import type { ParamsInputOf, ResultOf } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import type { ChatStore, Outcome } from '../index.ts';
import {
  agentOf,
  channelWithTwo,
  uniqueId,
  type Agent,
  type TestDatabase,
} from './world.contract.ts';

const deadlineMs = 600_000;
type More = Partial<ParamsInputOf<'ask.create'>>;

export function describeAsks(database: () => TestDatabase): void {
  async function world(kind: 'public' | 'private' = 'public') {
    const { store } = database();
    const { channelId, owner, member } = await channelWithTwo(store, kind);
    const other = agentOf(await database().another());
    await owner.write('member.add', { channelId, agentId: other.agentId });
    const to = [member.agentId, other.agentId];
    const ask = (more: More = {}) =>
      owner.write('ask.create', { channelId, to, content: 'Roll back', deadlineMs, ...more });
    return { store, channelId, owner, member, other, to, ask };
  }
  const answersIn = async (agent: Agent, channelId: string) =>
    (await agent.log(channelId)).flatMap(({ senderId, event }) =>
      event.type === 'collaboration.event' ? [[senderId, event.name, event.payload]] : [],
    );
  const statesOf = (outcome: Outcome) => {
    const { ask } = outcome.ok
      ? (outcome.result as { ask: { addressees: { state: string }[] } })
      : (outcome.details as { ask: { addressees: { state: string }[] } });
    return ask.addressees.map(({ state }) => state);
  };
  const topicsOf = (outcome: Outcome) =>
    outcome.ok ? outcome.events.map(({ agentTopics }) => [...agentTopics].sort()) : [];
  async function expireAll(stores: readonly ChatStore[], askIds: readonly string[]) {
    const found = await waitFor(
      async () => {
        const due = (await stores[0]!.due()).filter(({ id }) => askIds.includes(id));
        return due.length === askIds.length && due;
      },
      { what: 'the deadline' },
    );
    const events = await Promise.all(
      stores.flatMap((store) => found.map((expiry) => store.expire(expiry))),
    );
    return events.flat();
  }

  describe('asks', () => {
    it('are messages with addressees, who accept, decline and are done', async () => {
      const { channelId, owner, member, other, to, ask } = await world();
      const created = await owner.outcome('ask.create', {
        ...{ channelId, to, content: 'Roll back', deadlineMs, clientMessageId: 'a' },
      });
      if (!created.ok) throw new Error(created.message);
      const { askId, messageId, timestamp, deliveries } = created.result;
      expect(askId).toBe(messageId);
      expect(deliveries.map(({ agentId }) => agentId)).toEqual(to);
      expect(topicsOf(created)).toEqual([[...to].sort()]);
      const { messages } = await member.history(channelId);
      expect(messages.at(-1)).toMatchObject({
        ...{ id: askId, mentions: [], ask: { to, deadlineMs: timestamp + deadlineMs } },
      });
      const repeat = await ask({ clientMessageId: 'a' });
      expect(repeat).toMatchObject({ askId, duplicate: true, deliveries });
      const changed = { channelId, to, content: 'Roll back', deadlineMs: 60_000 };
      expect(await owner.refusal('ask.create', { ...changed, clientMessageId: 'a' })).toBe(
        'conflict',
      );
      const { channels } = await member.read('read.state', {});
      expect(channels.find((one) => one.channelId === channelId)?.mentions).toBe(1);

      const accepted = await member.outcome('ask.accept', { askId, note: 'on it' });
      expect(statesOf(accepted)).toEqual(['accepted', 'open']);
      expect(topicsOf(accepted)).toEqual([[owner.agentId, ...to].sort()]);
      const again = await member.outcome('ask.accept', { askId, note: 'another' });
      expect(again).toMatchObject({ ok: true, events: [], result: accepted.ok && accepted.result });
      const late = await member.outcome('ask.decline', { askId });
      expect([late.ok, statesOf(late)]).toEqual([false, ['accepted', 'open']]);
      expect(await other.refusal('ask.decline', { askId, note: 'not me' })).toBe('ok');
      expect(await other.refusal('ask.done', { askId })).toBe('conflict');
      expect(await member.refusal('ask.done', { askId })).toBe('ok');
      expect(await answersIn(owner, channelId)).toEqual([
        [member.agentId, 'ask.accepted', { askId, agentId: member.agentId, note: 'on it' }],
        [other.agentId, 'ask.declined', { askId, agentId: other.agentId, note: 'not me' }],
        [member.agentId, 'ask.done', { askId, agentId: member.agentId, note: null }],
      ]);
    });

    it('are refused as a whole when an addressee is no member, and answered by addressees alone', async () => {
      const { store, channelId, owner, member, ask } = await world('private');
      const outsider = agentOf(store);
      const to = [member.agentId, outsider.agentId, 'nobody'];
      const of = { channelId, to, content: 'x', deadlineMs };
      expect(await owner.outcome('ask.create', of)).toMatchObject({
        ...{ ok: false, code: 'not_found', details: { agentIds: [outsider.agentId, 'nobody'] } },
      });
      const byOutsider = { ...of, to: [member.agentId] };
      expect(await outsider.refusal('ask.create', byOutsider)).toBe('not_found');
      const own = { ...of, to: [owner.agentId] };
      expect(await owner.refusal('ask.create', own)).toBe('forbidden');
      const { askId } = await ask({ to: [member.agentId] });
      expect(await owner.refusal('ask.accept', { askId })).toBe('forbidden');
      expect(await owner.refusal('ask.accept', { askId: 'nothing' })).toBe('not_found');
      // An outsider learns nothing about the ask or its channel.
      const unknown = await outsider.outcome('ask.accept', { askId });
      expect(unknown).toEqual({
        ok: false,
        code: 'not_found',
        message: `there is no ask ${askId}`,
      });
      const bounded = agentOf(store, member.agentId, { channels: ['elsewhere'] });
      expect(await bounded.refusal('ask.accept', { askId })).toBe('not_found');
      expect((await bounded.read('ask.list', {})).asks).toEqual([]);
      const frozen = agentOf(store, member.agentId, { kind: 'agent', frozen: 'agent' });
      expect(await frozen.refusal('ask.accept', { askId })).toBe('frozen');
      await owner.write('channel.archive', { channelId });
      expect(await member.refusal('ask.accept', { askId })).toBe('archived');
    });

    it('go to the direct channel of an agent that the hub knows', async () => {
      const { store, owner, member } = await world();
      const of = { content: 'Can you?', deadlineMs };
      expect(await owner.outcome('ask.create', { ...of, agentId: uniqueId('typo') })).toMatchObject(
        { ok: false, code: 'not_found', details: { agentIds: [expect.any(String)] } },
      );
      const { channelId, askId, seq } = await owner.write('ask.create', {
        ...{ ...of, agentId: member.agentId },
      });
      expect(seq).toBe(1);
      const reply = await member.outcome('direct.send', {
        ...{ agentId: owner.agentId, content: 'Yes', replyTo: askId },
      });
      expect(reply.ok && reply.events).toHaveLength(2);
      expect(await answersIn(owner, channelId)).toEqual([
        [member.agentId, 'ask.accepted', { askId, agentId: member.agentId, note: null }],
      ]);
      const paused = agentOf(store, owner.agentId, {
        kind: 'agent',
        loops: [{ agentId: member.agentId, sinceMs: Date.now(), untilMs: Date.now() + 60_000 }],
      });
      expect(await paused.refusal('ask.create', { ...of, agentId: member.agentId })).toBe('paused');
    });

    it('are accepted by a reply, and by a message in their thread', async () => {
      const { channelId, owner, member, other, to, ask } = await world();
      const first = await ask();
      const { messageId: threadId } = await owner.say(channelId, 'root');
      const inThread = await ask({ threadId, to: [member.agentId] });
      const say = (agent: Agent, more: object) =>
        agent.outcome('message.send', { channelId, content: 'x', ...more });
      // Negative control: the ask stays open after messages in other threads and messages of agents that are not asked.
      for (const [agent, more] of [
        [member, {}],
        [owner, { threadId }],
        [other, { threadId }],
      ] as const) {
        const outcome = await say(agent, more);
        expect(outcome.ok && outcome.events).toHaveLength(1);
      }
      const names = (outcome: Outcome) =>
        outcome.ok && outcome.events.map(({ event }) => JSON.parse(event.json).event.payload);
      const accepted = ({ askId }: { askId: string }, { agentId }: Agent) => ({
        ...{ askId, agentId, note: null },
      });
      expect(names(await say(member, { replyTo: first.askId }))).toEqual([
        undefined,
        accepted(first, member),
      ]);
      const both = await Promise.all([say(member, { threadId }), say(member, { threadId })]);
      expect(both.flatMap((one) => names(one))).toEqual([
        ...[undefined, accepted(inThread, member), undefined],
      ]);
      expect(names(await say(other, { threadId: first.askId }))).toEqual([
        undefined,
        accepted(first, other),
      ]);
      const listed = await owner.read('ask.list', { role: 'from', state: 'accepted' });
      expect(listed.asks.map(({ askId }) => askId)).toEqual([inThread.askId, first.askId]);
      expect(to).toHaveLength(2);
      // An ask is a message too: an addressee accepts by asking another agent in the thread.
      const delegated = await ask({ to: [member.agentId] });
      const onward = await member.outcome('ask.create', {
        ...{ channelId, to: [other.agentId], content: 'Can you?', deadlineMs },
        threadId: delegated.askId,
      });
      expect(names(onward)).toEqual([undefined, accepted(delegated, member)]);
    });

    // The race: two hubs find the same ask due. Invariant: it expires once, and the event names every addressee whose
    // answer is open. An answer at or after the deadline is refused.
    it('expire once, by the time of the database, also in archived channels', async () => {
      const { store, channelId, owner, member, other, to, ask } = await world();
      const soon = { deadlineMs: 1_000 };
      const [silent, half] = [await ask(soon), await ask(soon)];
      const [answered, deleted] = [await ask(soon), await ask(soon)];
      await member.write('ask.accept', { askId: half.askId });
      for (const one of [member, other]) await one.write('ask.decline', { askId: answered.askId });
      await owner.write('message.delete', { channelId, messageId: deleted.messageId });
      expect(await member.refusal('ask.accept', { askId: deleted.askId })).toBe('not_found');
      const gone = await world();
      const lost = await gone.ask(soon);
      await gone.owner.write('channel.delete', { channelId: gone.channelId });
      await owner.write('channel.archive', { channelId });
      const stores = [store, await database().another()];
      const events = await expireAll(stores, [silent.askId, half.askId, lost.askId]);
      const expired = events.map(({ event, agentTopics }) => [
        JSON.parse(event.json),
        [...agentTopics].sort(),
      ]);
      const everyone = [owner.agentId, ...to].sort();
      const byHub = (askId: string, of: readonly string[]) => [
        expect.objectContaining({
          ...{ senderId: 'hub', senderKind: 'hub' },
          event: expect.objectContaining({ name: 'ask.expired', payload: { askId, silent: of } }),
        }),
        everyone,
      ];
      expect(expired).toHaveLength(2);
      expect(expired).toEqual(
        expect.arrayContaining([byHub(silent.askId, to), byHub(half.askId, [other.agentId])]),
      );
      const askIds = [silent, half, answered, deleted, lost].map(({ askId }) => askId);
      expect((await store.due()).filter(({ id }) => askIds.includes(id))).toEqual([]);
      await owner.write('channel.unarchive', { channelId });
      expect(await member.refusal('ask.accept', { askId: silent.askId })).toBe('conflict');
      // Only an ask that was accepted in time may be done after its deadline.
      expect(await member.refusal('ask.done', { askId: half.askId })).toBe('ok');
      expect(await other.refusal('ask.done', { askId: half.askId })).toBe('conflict');
      await other.say(channelId, 'too late', { replyTo: silent.askId });
      const { asks } = await other.read('ask.list', { role: 'to', state: 'expired', channelId });
      expect(asks.map(({ askId }) => askId)).toEqual([half.askId, silent.askId]);
    });

    // The fault: each expiry of a group had six statements of its own, so many asks with one deadline took minutes.
    // Invariant: asks that expire together are logged once each, even if an ask is given twice.
    it('expire together, each once', async () => {
      const { store, channelId, owner, member, to, ask } = await world();
      const elsewhere = await world();
      const soon = { deadlineMs: 1_000 };
      const asks = await Promise.all(
        Array.from({ length: 20 }, (_, n) => (n % 2 ? ask : elsewhere.ask)(soon)),
      );
      const half = asks[1]!.askId;
      await member.write('ask.accept', { askId: half });
      const askIds = asks.map(({ askId }) => askId);
      const events = await expireAll([store, store], askIds);
      const expired = events.map(({ event }) => JSON.parse(event.json).event.payload.askId);
      expect(expired.sort()).toEqual([...askIds].sort());
      const logged = (await answersIn(owner, channelId)).filter(([from]) => from === 'hub');
      expect(logged).toHaveLength(10);
      expect(logged).toContainEqual(['hub', 'ask.expired', { askId: half, silent: [to[1]] }]);
    });

    it('are listed newest first, by role and state, of channels of which the caller is a member', async () => {
      const { channelId, owner, member, other, ask } = await world();
      const ids: string[] = [];
      for (let n = 0; n < 5; n++) ids.unshift((await ask()).askId);
      await member.write('ask.accept', { askId: ids[2]! });
      const list = async (agent: Agent, more: Partial<ParamsInputOf<'ask.list'>>) =>
        (await agent.read('ask.list', { channelId, ...more })).asks.map(({ askId }) => askId);
      expect(await list(owner, { role: 'from' })).toEqual(ids);
      expect(await list(owner, {})).toEqual(ids);
      expect(await list(owner, { role: 'to' })).toEqual([]);
      expect(await list(member, { state: 'accepted' })).toEqual([ids[2]]);
      expect(await list(member, { role: 'to', state: 'open' })).toEqual(
        ids.filter((id) => id !== ids[2]),
      );
      expect(await list(owner, { role: 'from', state: 'open' })).toEqual(ids);
      const pages: string[] = [];
      let cursor: string | null = null;
      do {
        const { asks, nextCursor }: ResultOf<'ask.list'> = await owner.read('ask.list', {
          ...{ limit: 2, cursor },
        });
        pages.push(...asks.map(({ askId }) => askId));
        cursor = nextCursor;
      } while (cursor !== null);
      expect(pages).toEqual(ids);
      await owner.write('member.remove', { channelId, agentId: other.agentId });
      expect((await other.read('ask.list', {})).asks).toEqual([]);
      expect(await other.readRefusal('ask.list', { channelId })).toBe('forbidden');
      // A removed addressee gets no further notification.
      const done = await member.outcome('ask.done', { askId: ids[0]! });
      expect(topicsOf(done)).toEqual([[owner.agentId, member.agentId].sort()]);
    });
  });
}
