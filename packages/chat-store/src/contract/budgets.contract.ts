import { describe, expect, it } from '@jest/globals';
import type { ParamsInputOf } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import {
  agentOf,
  channelWithTwo,
  eventOf,
  uniqueId,
  type Agent,
  type TestDatabase,
} from './world.contract.ts';

type More = Partial<ParamsInputOf<'message.send'>>;

export function describeBudgets(database: () => TestDatabase): void {
  async function ring(open = database().store) {
    const { store } = database();
    const other = await database().another();
    const person = agentOf(store, uniqueId('person'), { kind: 'person' });
    const { channel } = await person.write('channel.create', { name: 'Ring' });
    const { channelId } = channel;
    const agents: Agent[] = [];
    for (const at of [open, other, open, other]) {
      const agent = agentOf(at, uniqueId('agent'), { kind: 'agent' });
      await person.write('member.add', { channelId, agentId: agent.agentId });
      agents.push(agent);
    }
    const say = async (one: Agent, more: More = {}) => {
      const outcome = await one.outcome('message.send', { channelId, content: 'again', ...more });
      return outcome.ok ? 'ok' : [outcome.code, outcome.details];
    };
    /** Returns how many messages the agents write in turn until one is refused. */
    const turnsUntilRefused = async (most: number, more: More = {}) => {
      for (let sent = 0; sent < most; sent += 1) {
        const agent = agents[sent % agents.length];
        if (!agent || (await say(agent, more)) !== 'ok') return sent;
      }
      return most;
    };
    const exhausted = async (): Promise<Record<string, unknown>[]> =>
      (await person.log(channelId)).flatMap(({ senderId, senderKind, event }) =>
        event.type === 'collaboration.event' && event.name === 'budget.exhausted'
          ? [{ ...event.payload, senderId, senderKind }]
          : [],
      );
    const set = (more: Partial<ParamsInputOf<'budget.set'>>) =>
      person.write('budget.set', { channelId, ...more });
    const get = (threadId: string | null = null) =>
      person.read('budget.get', { channelId, threadId });
    return { store, channelId, person, agents, say, turnsUntilRefused, exhausted, set, get };
  }
  const byHub = { senderId: 'hub', senderKind: 'hub' };
  const untilPerson = ['paused', { pausedUntilMs: null }];

  describe('a budget', () => {
    // The reported failure: agents that answer each other do not stop until their provider stops them.
    it('stops four agents in a ring at its turns, says so once, and a person refills it', async () => {
      const { channelId, person, agents, say, turnsUntilRefused, exhausted, get } = await ring();
      // Negative control: without a budget nothing stops them.
      expect(await turnsUntilRefused(30)).toBe(30);
      expect(await get()).toEqual({
        ...{ agentTurns: null, perMinute: null, used: 30, pausedUntilMs: null },
      });
      await person.say(channelId, 'now with a budget');
      const outcome = await person.outcome('budget.set', { channelId, agentTurns: 8 });
      expect(eventOf(outcome)).toMatchObject({
        senderId: person.agentId,
        event: {
          name: 'budget.set',
          payload: { threadId: null, agentTurns: 8, perMinute: null },
        },
      });
      expect(await turnsUntilRefused(30)).toBe(8);
      for (const agent of agents) expect(await say(agent)).toEqual(untilPerson);
      expect(await exhausted()).toEqual([
        { ...byHub, threadId: null, used: 8, pausedUntilMs: null },
      ]);
      expect(await get()).toEqual({ agentTurns: 8, perMinute: null, used: 8, pausedUntilMs: null });
      // Neither a service's message nor a deletion resets the count.
      const service = agentOf(database().store, agents[0]?.agentId, { kind: 'service' });
      expect(await say(service)).toBe('ok');
      const { messages } = await person.history(channelId);
      const messageId = messages.find(({ senderKind }) => senderKind === 'agent')?.id ?? '';
      await person.write('message.delete', { channelId, messageId });
      expect(await turnsUntilRefused(30)).toBe(0);
      await person.say(channelId, 'go on');
      expect(await turnsUntilRefused(30)).toBe(8);
      expect(await exhausted()).toHaveLength(2);
    });

    it('holds when the agents of two hubs write at the same moment', async () => {
      const { agents, say, exhausted, set } = await ring();
      await set({ agentTurns: 5 });
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => agents.map((agent) => say(agent))).flat(),
      );
      expect(answers.filter((answer) => answer === 'ok')).toHaveLength(5);
      expect(await exhausted()).toHaveLength(1);
    });

    it('is counted apart in each thread, which has the channel’s figures unless it has its own', async () => {
      const { channelId, person, turnsUntilRefused, exhausted, set, get } = await ring();
      const [one, two] = [
        (await person.say(channelId, 'one')).messageId,
        (await person.say(channelId, 'two')).messageId,
      ];
      await set({ agentTurns: 3 });
      await set({ threadId: two, agentTurns: 6 });
      expect(await turnsUntilRefused(20)).toBe(3);
      expect(await turnsUntilRefused(20, { threadId: one })).toBe(3);
      expect(await turnsUntilRefused(20, { threadId: two })).toBe(6);
      expect((await exhausted()).map((payload) => payload['threadId'])).toEqual([null, one, two]);
      // A person's message resets the count of its thread only.
      await person.say(channelId, 'here', { threadId: one });
      expect(await turnsUntilRefused(20)).toBe(0);
      expect(await turnsUntilRefused(20, { threadId: two })).toBe(0);
      expect(await turnsUntilRefused(20, { threadId: one })).toBe(3);
      expect(await get(two)).toMatchObject({ agentTurns: 6, used: 6 });
      // In a thread, 0 means no limit, and null restores the channel's limit.
      await set({ threadId: two, agentTurns: 0 });
      expect(await turnsUntilRefused(10, { threadId: two })).toBe(10);
      await set({ threadId: two, agentTurns: null });
      expect(await get(two)).toMatchObject({ agentTurns: 3, used: 16 });
      expect(await turnsUntilRefused(10, { threadId: two })).toBe(0);
      const { threads } = await person.read('thread.list', { channelId });
      expect(threads.map(({ threadId }) => threadId).sort()).toEqual([one, two].sort());
    });

    it('per minute pauses until its minute is over, or a person writes', async () => {
      const { channelId, person, agents, say, turnsUntilRefused, exhausted, set, get } =
        await ring();
      const startMs = (await person.say(channelId, 'begin')).timestamp;
      await set({ perMinute: 4 });
      expect(await turnsUntilRefused(20)).toBe(4);
      const [first] = agents;
      const refused = first && (await say(first));
      const { pausedUntilMs } = await get();
      expect(refused).toEqual(['paused', { pausedUntilMs }]);
      expect(pausedUntilMs).toBeGreaterThanOrEqual(startMs + 60_000);
      expect(await exhausted()).toEqual([{ ...byHub, threadId: null, used: 4, pausedUntilMs }]);
      await set({ perMinute: 6 });
      expect(await get()).toMatchObject({ pausedUntilMs: null });
      expect(await turnsUntilRefused(20)).toBe(2);
      await person.say(channelId, 'go on');
      expect(await turnsUntilRefused(20)).toBe(6);
      // With both limits, a pause after too many turns in a row ends only when a person writes.
      await set({ agentTurns: 6 });
      expect(first && (await say(first))).toEqual(untilPerson);
    });

    it('refuses no repeat, and takes no turn for what is refused', async () => {
      const { channelId, person, agents, say, turnsUntilRefused, set, get } = await ring();
      const [agent] = agents;
      if (!agent) throw new Error('there is no agent');
      const { seq } = await person.say(channelId, 'begin');
      await set({ agentTurns: 2 });
      const once = { clientMessageId: 'once' };
      expect(await say(agent, once)).toBe('ok');
      await person.say(channelId, 'news');
      // Neither an outdated message nor a message in an unknown thread uses a turn, because both are refused.
      expect(await agent.refusal('message.send', { channelId, content: 'x', basedOn: seq })).toBe(
        'superseded',
      );
      expect(
        await agent.refusal('message.send', { channelId, content: 'x', threadId: 'none' }),
      ).toBe('not_found');
      expect(await get()).toMatchObject({ used: 0 });
      expect(await turnsUntilRefused(9)).toBe(2);
      expect(await say(agent, once)).toBe('ok');
      const { messageId } = await person.say(channelId, 'root', { threadId: null });
      expect(await turnsUntilRefused(9)).toBe(2);
      await agent.write('claim', { channelId, threadId: messageId, leaseMs: 1_000 });
      await agent.write('reaction.add', { channelId, messageId, emoji: '👍' });
    });

    it('is set by persons, owners and admins, and read by members', async () => {
      const { store, channelId, person, agents, get } = await ring();
      const [agent] = agents;
      const set = { channelId, agentTurns: 1 };
      expect(await agent?.refusal('budget.set', set)).toBe('forbidden');
      expect(await agent?.readRefusal('budget.get', { channelId })).toBe('ok');
      const outsider = agentOf(store, uniqueId('out'), { kind: 'person' });
      expect(await outsider.refusal('budget.set', set)).toBe('forbidden');
      expect(await outsider.readRefusal('budget.get', { channelId })).toBe('forbidden');
      const reader = agentOf(store, uniqueId('reader'), { kind: 'person' });
      await person.write('member.add', { channelId, agentId: reader.agentId });
      expect(await reader.refusal('budget.set', set)).toBe('ok');
      const admin = agentOf(store, uniqueId('admin'), { isAdmin: true });
      expect(await admin.outcome('budget.set', set)).toMatchObject({ ok: true, events: [] });
      expect(await admin.refusal('budget.set', { ...set, threadId: 'none' })).toBe('not_found');
      const { messageId } = await person.say(channelId, 'root');
      const reply = await person.say(channelId, 'reply', { threadId: messageId });
      const ofReply = { channelId, threadId: reply.messageId };
      expect(await admin.refusal('budget.set', { ...ofReply, agentTurns: 1 })).toBe('not_found');
      expect(await person.readRefusal('budget.get', ofReply)).toBe('not_found');
      await person.write('budget.set', { channelId, perMinute: 9 });
      expect(await get()).toMatchObject({ agentTurns: 1, perMinute: 9 });
      await person.write('channel.archive', { channelId });
      expect(await person.refusal('budget.set', { channelId, agentTurns: 5 })).toBe('archived');
    });
  });

  describe('without a budget', () => {
    // The reported failure: two bots that greet each other exchange a thousand messages in four seconds.
    it('agents in a thread or a direct channel pause at the hub’s limit for the rest of its window', async () => {
      const windowMs = 3_000;
      const limited = await database().open({ agentTurns: 20, agentTurnsWindowMs: windowMs });
      try {
        const { channelId, owner, member } = await channelWithTwo(limited);
        const bots = [owner, member].map(({ agentId }) =>
          agentOf(limited, agentId, { kind: 'agent' }),
        );
        const [ana, ben] = bots as [Agent, Agent];
        const exchange = async (
          most: number,
          send: (from: Agent, to: Agent) => Promise<string>,
        ) => {
          for (let sent = 0; sent < most; sent += 1) {
            const code = await (sent % 2 === 0 ? send(ana, ben) : send(ben, ana));
            if (code !== 'ok') return [sent, code];
          }
          return [most, 'ok'];
        };
        const direct = (from: Agent, to: Agent) =>
          from.refusal('direct.send', { agentId: to.agentId, content: 'thank you' });
        const inChannel = (more: More) => (from: Agent) =>
          from.refusal('message.send', { channelId, content: 'thank you', ...more });
        // Negative control: a hub without the limit lets them go on.
        const unlimited = bots.map(({ agentId }) =>
          agentOf(database().store, agentId, { kind: 'agent' }),
        );
        const [first, second] = unlimited as [Agent, Agent];
        for (let n = 0; n < 30; n += 1) expect(await direct(first, second)).toBe('ok');
        await waitFor(async () => (await direct(ana, ben)) === 'ok', { what: 'a new window' });
        const [sent, code] = await exchange(50, direct);
        expect([Number(sent) <= 20, code]).toEqual([true, 'paused']);
        await waitFor(async () => (await direct(ana, ben)) === 'ok', { what: 'the next window' });

        // Outside of threads, the hub has no limit.
        expect(await exchange(50, inChannel({}))).toEqual([50, 'ok']);
        const { messageId: threadId } = await owner.say(channelId, 'root');
        expect(await exchange(50, inChannel({ threadId }))).toEqual([20, 'paused']);
        const names = (await owner.log(channelId)).map(({ event }) =>
          event.type === 'collaboration.event' ? event.name : event.type,
        );
        expect(names.filter((name) => name === 'budget.exhausted')).toHaveLength(1);
        const pia = agentOf(limited, owner.agentId, { kind: 'person' });
        await pia.say(channelId, 'go on', { threadId });
        expect(await exchange(50, inChannel({ threadId }))).toEqual([20, 'paused']);
        await pia.write('budget.set', { channelId, threadId, agentTurns: 0 });
        expect(await exchange(50, inChannel({ threadId }))).toEqual([50, 'ok']);
      } finally {
        await limited.close();
      }
    });

    it('an agent that addresses another one in a loop pauses, until a person writes there', async () => {
      const { channelId, person, agents, say } = await ring();
      const [ana, ben] = agents as [Agent, Agent, Agent, Agent];
      const { messageId } = await ben.say(channelId, 'a question');
      const outcome = await ana.outcome('message.send', {
        channelId,
        content: 'x',
        replyTo: messageId,
        mentions: [person.agentId],
      });
      expect(outcome).toMatchObject({ ok: true, addressed: [person.agentId, ben.agentId] });
      expect(await ana.outcome('message.send', { channelId, content: 'plain' })).not.toHaveProperty(
        'addressed',
      );
      const now = outcome.ok ? outcome.result.timestamp : 0;
      const loop = { agentId: ben.agentId, sinceMs: now, untilMs: now + 600_000 };
      const looping = agentOf(database().store, ana.agentId, { kind: 'agent', loops: [loop] });
      const pausedUntil = ['paused', { pausedUntilMs: loop.untilMs }];
      expect(await say(looping, { mentions: [ben.agentId] })).toEqual(pausedUntil);
      expect(await say(looping, { replyTo: messageId })).toEqual(pausedUntil);
      expect(await say(looping, { content: `@${ben.agentId} hi`, parseMentions: true })).toEqual(
        pausedUntil,
      );
      expect(await say(looping)).toBe('ok');
      const direct = { agentId: ben.agentId, content: 'hi' };
      expect(await looping.refusal('direct.send', direct)).toBe('paused');
      const { channels } = await ben.read('channel.list', { kind: 'direct', member: true });
      expect(channels).toEqual([]);
      expect(await looping.refusal('direct.send', { ...direct, agentId: person.agentId })).toBe(
        'ok',
      );
      const past = agentOf(database().store, ana.agentId, {
        kind: 'agent',
        loops: [{ ...loop, untilMs: now }],
      });
      expect(await say(past, { mentions: [ben.agentId] })).toBe('ok');
      // The end of a growing message addresses only agents that its beginning did not address. The end is never
      // refused, so a loop through such ends is stopped when the agent begins its next message.
      const begin = { content: '', stream: true };
      const { messageId: growing } = await looping.say(channelId, '', {
        ...begin,
        mentions: [person.agentId],
      });
      const end = { channelId, messageId: growing, state: 'complete' } as const;
      const content = `@${person.agentId} and @${ben.agentId}`;
      expect(
        await looping.outcome('message.finish', { ...end, content, parseMentions: true }),
      ).toMatchObject({ ok: true, addressed: [ben.agentId] });
      const byStreams = agentOf(database().store, ana.agentId, {
        kind: 'agent',
        loops: [{ ...loop, byStreams: true }],
      });
      expect(await say(byStreams, begin)).toEqual(pausedUntil);
      expect(await say(byStreams)).toBe('ok');
      await person.say(channelId, 'go on');
      expect(await say(looping, { mentions: [ben.agentId] })).toBe('ok');
      expect(await say(byStreams, begin)).toBe('ok');
    });
  });
}
