import { describe, expect, it } from '@jest/globals';
import { agentOf, channelWithTwo, type TestDatabase } from './world.contract.ts';

const leaseMs = 60_000;

export function describeClaims(database: () => TestDatabase): void {
  async function thread() {
    const world = await channelWithTwo(database().store);
    const { channelId, owner } = world;
    const { messageId: threadId, seq } = await owner.say(channelId, 'Who answers?');
    return { ...world, threadId, seq, of: { channelId, threadId } };
  }

  describe('claims', () => {
    it('are granted to one agent at a time, in the log, with rising fences', async () => {
      const { channelId, owner, member, of } = await thread();
      const first = await member.write('claim', { ...of, leaseMs });
      expect(first.fence).toBe(1);
      expect(await owner.outcome('claim', { ...of, leaseMs })).toMatchObject({
        ok: false,
        code: 'conflict',
        details: { holder: member.agentId, untilMs: first.untilMs },
      });
      const repeat = await member.outcome('claim', { ...of, leaseMs: 2 * leaseMs });
      expect(repeat).toMatchObject({ ok: true, events: [], result: { fence: 1 } });
      const extended = (await member.write('claim', { ...of, leaseMs: 1_000 })).untilMs;
      expect(extended).toBeGreaterThan(first.untilMs);

      expect(await owner.refusal('claim.release', of)).toBe('conflict');
      const released = await member.write('claim.release', of);
      expect(await member.outcome('claim.release', of)).toEqual({
        ok: true,
        events: [],
        result: released,
      });
      expect((await owner.write('claim', { ...of, leaseMs })).fence).toBe(2);
      const events = (await owner.log(channelId)).slice(-3).map(({ senderId, event }) => {
        if (event.type !== 'collaboration.event') throw new Error(event.type);
        return [senderId, event.name, event.payload];
      });
      const { threadId } = of;
      const { agentId } = member;
      expect(events).toMatchObject([
        [agentId, 'claim.granted', { threadId, agentId, fence: 1, untilMs: first.untilMs }],
        [agentId, 'claim.released', { threadId, agentId, fence: 1, expired: false }],
        [owner.agentId, 'claim.granted', { threadId, agentId: owner.agentId, fence: 2 }],
      ]);
    });

    it('end with their lease: the next grant logs it, and a fence of the past is refused', async () => {
      const { channelId, owner, member, threadId, of } = await thread();
      const { fence, untilMs } = await member.write('claim', { ...of, leaseMs: 1_000 });
      // Negative control: while the lease runs, no other agent gets the thread.
      expect(await owner.refusal('claim', { ...of, leaseMs })).toBe('conflict');
      const reply = { threadId, fence };
      await member.say(channelId, 'still mine', reply);
      let granted = await owner.outcome('claim', { ...of, leaseMs });
      while (!granted.ok) granted = await owner.outcome('claim', { ...of, leaseMs });
      expect(granted.events.map(({ event }) => JSON.parse(event.json))).toMatchObject([
        {
          senderId: 'hub',
          senderKind: 'hub',
          event: {
            name: 'claim.released',
            payload: { threadId, agentId: member.agentId, fence, expired: true },
          },
        },
        { senderId: owner.agentId, event: { name: 'claim.granted', payload: { fence: 2 } } },
      ]);
      expect((await owner.log(channelId)).at(-1)?.timestamp).toBeGreaterThanOrEqual(untilMs);
      const late = { channelId, content: 'too late', ...reply };
      expect(await member.refusal('message.send', late)).toBe('conflict');
      expect(await owner.refusal('message.send', { ...late, fence: 3 })).toBe('conflict');
      await owner.say(channelId, 'the answer', { threadId, fence: 2 });
    });

    it('are of threads in which the caller may write', async () => {
      const { channelId, owner, member, threadId, of } = await thread();
      const reply = await member.say(channelId, 'a reply', { threadId });
      const claim = { ...of, leaseMs };
      const refusal = (more: object) => member.refusal('claim', { ...claim, ...more });
      expect(await refusal({ threadId: 'nothing' })).toBe('not_found');
      expect(await refusal({ threadId: reply.messageId })).toBe('not_found');
      const outsider = agentOf(database().store);
      expect(await outsider.refusal('claim', claim)).toBe('forbidden');
      await owner.write('channel.archive', { channelId });
      expect(await refusal({})).toBe('archived');
    });

    it('are granted once when agents of two hubs race', async () => {
      const { channelId, owner, threadId, of } = await thread();
      const other = await database().another();
      const agents = Array.from({ length: 10 }, (_, n) =>
        agentOf(n % 2 === 0 ? database().store : other),
      );
      for (const { agentId } of agents) await owner.write('member.add', { channelId, agentId });
      const outcomes = await Promise.all(
        agents.map((agent) => agent.outcome('claim', { ...of, leaseMs })),
      );
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
      // Negative control: without a claim every reply is accepted.
      const replies = await Promise.all(
        agents.map((agent) =>
          agent.refusal('message.send', { channelId, content: 'me', threadId }),
        ),
      );
      expect(replies).toEqual(agents.map(() => 'ok'));
    });
  });

  describe('a send that is based on a seq', () => {
    it('is superseded by newer messages of others in the same place, which the refusal holds', async () => {
      const { channelId, owner, member, threadId, seq } = await thread();
      const send = (basedOn: number, more: { threadId?: string } = {}) =>
        member.outcome('message.send', { channelId, content: 'mine', basedOn, ...more });
      const newerOf = (outcome: Awaited<ReturnType<typeof send>>) =>
        outcome.ok
          ? 'ok'
          : (outcome.details?.['newer'] as { seq: number }[]).map((message) => message.seq);
      expect(newerOf(await send(seq))).toBe('ok');
      expect(newerOf(await send(seq))).toBe('ok');
      const beside = await owner.say(channelId, 'news');
      expect(newerOf(await send(seq, { threadId }))).toBe('ok');
      const superseded = await send(seq);
      expect(superseded).toMatchObject({ ok: false, code: 'superseded' });
      expect(newerOf(superseded)).toEqual([beside.seq]);
      expect(newerOf(await send(beside.seq))).toBe('ok');
      const reply = await owner.say(channelId, 'a reply', { threadId });
      expect(newerOf(await send(seq, { threadId }))).toEqual([reply.seq]);
      expect(newerOf(await send(beside.seq))).toBe('ok');
      await owner.write('message.delete', { channelId, messageId: reply.messageId });
      expect(newerOf(await send(seq, { threadId }))).toBe('ok');
    });

    it('is refused with the newest 20, of at most 256 KiB', async () => {
      const { channelId, owner, member, seq } = await thread();
      const send = () => member.outcome('message.send', { channelId, content: 'me', basedOn: seq });
      const seqs = async () => {
        const outcome = await send();
        if (outcome.ok) throw new Error('it was accepted');
        return (outcome.details?.['newer'] as { seq: number }[]).map((message) => message.seq);
      };
      for (let n = 0; n < 25; n++) await owner.say(channelId, `${n}`);
      const newest = await seqs();
      expect(newest).toEqual(newest.map((_, index) => seq + 6 + index));
      expect(newest).toHaveLength(20);
      for (let n = 0; n < 12; n++) await owner.say(channelId, 'x'.repeat(30_000));
      expect((await seqs()).length).toBe(8);
    });

    // The race: two answers are decided in one group, before the rows of the first are written.
    it('is superseded by a message of the same group, and its repeat is no conflict', async () => {
      const { channelId, owner, member, seq } = await thread();
      const answerOf = (agent: typeof owner, clientMessageId: string) =>
        agent.refusal('message.send', { channelId, content: 'me', basedOn: seq, clientMessageId });
      const third = agentOf(database().store);
      await owner.write('member.add', { channelId, agentId: third.agentId });
      const both = await Promise.all([answerOf(member, 'a'), answerOf(third, 'b')]);
      expect(both.sort()).toEqual(['ok', 'superseded']);
      const repeats = await Promise.all([answerOf(member, 'a'), answerOf(third, 'b')]);
      expect(repeats.sort()).toEqual(['ok', 'superseded']);
    });

    it('shows nothing to senders without the rights, and works for direct messages', async () => {
      const { channelId, owner, member } = await thread();
      const outsider = agentOf(database().store);
      const refused = await outsider.outcome('message.send', {
        channelId,
        content: 'x',
        basedOn: 0,
      });
      expect(refused).toMatchObject({ ok: false, code: 'forbidden' });
      expect(refused).not.toHaveProperty('details');
      const to = { agentId: member.agentId, content: 'hi' };
      const first = await owner.write('direct.send', { ...to, basedOn: 0 });
      await member.write('direct.send', { agentId: owner.agentId, content: 'ho' });
      expect(await owner.refusal('direct.send', { ...to, basedOn: first.seq })).toBe('superseded');
    });
  });

  it('the names of the hub’s own events are refused', async () => {
    const { channelId, owner } = await channelWithTwo(database().store);
    const emit = (name: string) =>
      owner.refusal('collaboration.emit', { channelId, name, payload: {} });
    expect(await emit('claim.granted')).toBe('forbidden');
    expect(await emit('turn.state')).toBe('forbidden');
    expect(await emit('claims')).toBe('ok');
  });
}
