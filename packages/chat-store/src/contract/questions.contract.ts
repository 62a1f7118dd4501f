import { describe, expect, it } from '@jest/globals';
import type { ParamsInputOf, Question } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import type { Outcome } from '../index.ts';
import { agentOf, eventOf, uniqueId, type Agent, type TestDatabase } from './world.contract.ts';

const options = [
  { id: 'yes', label: 'Deploy' },
  { id: 'no', label: 'Wait' },
];
type More = Partial<ParamsInputOf<'question.open'>>;

export function describeQuestions(database: () => TestDatabase): void {
  async function world() {
    const { store } = database();
    const person = (at = store) => agentOf(at, uniqueId('person'), { kind: 'person' });
    const asker = agentOf(store, uniqueId('agent'), { kind: 'agent' });
    const { channel } = await asker.write('channel.create', { name: 'Ops', kind: 'private' });
    const { channelId } = channel;
    const [pia, paul] = [person(), person(await database().another())] as const;
    for (const { agentId } of [pia, paul]) await asker.write('member.add', { channelId, agentId });
    const open = (more: More = {}) =>
      asker.write('question.open', { channelId, title: 'Deploy?', options, ...more });
    return { store, channelId, asker, pia, paul, person, open };
  }
  const answer = (agent: Agent, questionId: string, optionId: string) =>
    agent.outcome('question.answer', { questionId, optionId });
  const questionIn = (outcome: Outcome): Question => {
    const { question } = (outcome.ok ? outcome.result : outcome.details) as { question: Question };
    return question;
  };
  const namesIn = async (agent: Agent, channelId: string) =>
    (await agent.log(channelId)).flatMap(({ event }) =>
      event.type === 'collaboration.event' ? [event.name] : [],
    );

  describe('questions', () => {
    it('are answered by persons: the first valid answer wins, and a repeat of it is answered again', async () => {
      const { store, channelId, asker, pia, paul, open } = await world();
      const { questionId, seq } = await open({ clientMessageId: 'q' });
      expect(await open({ clientMessageId: 'q' })).toEqual({ questionId, seq, duplicate: true });
      const changed = { channelId, title: 'Roll back?', options, clientMessageId: 'q' };
      expect(await asker.refusal('question.open', changed)).toBe('conflict');
      const bot = agentOf(store, uniqueId('bot'), { kind: 'agent' });
      expect(await bot.outcome('question.answer', { questionId, optionId: 'yes' })).toEqual({
        ...{ ok: false, code: 'not_found', message: `there is no question ${questionId}` },
      });
      await asker.write('member.add', { channelId, agentId: bot.agentId });
      expect(await bot.refusal('question.answer', { questionId, optionId: 'yes' })).toBe(
        'forbidden',
      );
      const asPerson = agentOf(store, asker.agentId, { kind: 'person' });
      expect(await asPerson.refusal('question.answer', { questionId, optionId: 'yes' })).toBe(
        'forbidden',
      );
      expect(await answer(pia, questionId, 'maybe')).toMatchObject({
        details: { issues: [{ path: ['optionId'] }] },
      });
      const won = await answer(pia, questionId, 'yes');
      const envelope = eventOf(won);
      const question = questionIn(won);
      expect(question).toMatchObject({
        ...{ questionId, state: 'answered', optionId: 'yes', text: null },
        answers: [{ agentId: pia.agentId, optionId: 'yes', text: null }],
      });
      expect(envelope).toMatchObject({
        ...{ senderId: pia.agentId, event: { name: 'question.answered', payload: { question } } },
      });
      expect(won.ok && won.events[0]?.agentTopics).toEqual([asker.agentId]);
      // The winner repeats the call, because the first answer of the hub may be lost.
      expect(await answer(pia, questionId, 'yes')).toMatchObject({ ok: true, events: [] });
      const late = await answer(paul, questionId, 'no');
      expect([late.ok, questionIn(late)]).toEqual([false, question]);
      expect(await asker.refusal('question.cancel', { questionId })).toBe('conflict');
    });

    it('have one answer when persons of two hubs race', async () => {
      const { asker, channelId, pia, paul, open } = await world();
      const { questionId } = await open();
      const both = await Promise.all([
        answer(pia, questionId, 'yes'),
        answer(paul, questionId, 'no'),
      ]);
      expect(both.map(({ ok }) => ok).sort()).toEqual([false, true]);
      const [one, other] = both.map(questionIn);
      expect(one).toEqual(other);
      expect(await namesIn(asker, channelId)).toEqual(['question.opened', 'question.answered']);
    });

    it('end with the first option that has the quorum; until then an answer may change', async () => {
      const { channelId, asker, pia, paul, person, open } = await world();
      const third = person();
      await asker.write('member.add', { channelId, agentId: third.agentId });
      const { questionId } = await open({ quorum: 2 });
      expect(eventOf(await answer(pia, questionId, 'yes'))).toMatchObject({
        event: {
          name: 'question.voted',
          payload: { questionId, agentId: pia.agentId, optionId: 'yes', text: null },
        },
      });
      await answer(paul, questionId, 'no');
      expect(await answer(paul, questionId, 'no')).toMatchObject({ ok: true, events: [] });
      expect(questionIn(await answer(pia, questionId, 'no'))).toMatchObject({
        ...{ state: 'answered', optionId: 'no' },
        answers: [{ agentId: paul.agentId }, { agentId: pia.agentId }],
      });
      expect((await answer(third, questionId, 'yes')).ok).toBe(false);
      // Concurrent answers take effect in the order of the calls.
      const { questionId: next } = await open({ quorum: 2 });
      await Promise.all(['yes', 'no', 'yes', 'no'].map((option) => answer(pia, next, option)));
      expect(questionIn(await answer(paul, next, 'no'))).toMatchObject({ optionId: 'no' });
    });

    it('are for named responders alone, who are members, and may be agents', async () => {
      const { store, channelId, asker, pia, paul, open } = await world();
      const bot = agentOf(store, uniqueId('bot'), { kind: 'agent' });
      const responders = [bot.agentId, paul.agentId];
      const unknown = await asker.outcome('question.open', {
        ...{ channelId, title: 'x', responders },
      });
      expect(unknown).toMatchObject({ details: { issues: [{ path: ['responders'] }] } });
      await asker.write('member.add', { channelId, agentId: bot.agentId });
      const opened = await asker.outcome('question.open', { channelId, title: 'x', responders });
      expect(opened.ok && [...opened.events[0]!.agentTopics].sort()).toEqual(
        [asker.agentId, ...responders].sort(),
      );
      const { questionId } = await open({ options: [], responders });
      const text = { questionId, text: 'when the tests pass' };
      expect(await pia.refusal('question.answer', text)).toBe('forbidden');
      const wrong = await bot.outcome('question.answer', { questionId, optionId: 'yes' });
      expect(wrong).toMatchObject({ details: { issues: [{ path: ['text'] }] } });
      const frozen = agentOf(store, bot.agentId, { kind: 'agent', frozen: 'hub' });
      expect(await frozen.refusal('question.answer', text)).toBe('frozen');
      expect(questionIn(await bot.outcome('question.answer', text))).toMatchObject({
        ...{ state: 'answered', optionId: null, text: text.text, responders },
      });
    });

    it('are cancelled by the opener and by owners, and listed to members', async () => {
      const { channelId, asker, pia, open } = await world();
      const [first, second] = [await open(), await open()];
      expect(await pia.refusal('question.cancel', { questionId: first.questionId })).toBe(
        'forbidden',
      );
      const cancelled = await asker.outcome('question.cancel', { questionId: first.questionId });
      expect(eventOf(cancelled)).toMatchObject({ event: { name: 'question.cancelled' } });
      const again = await asker.outcome('question.cancel', { questionId: first.questionId });
      expect(again).toMatchObject({ ok: true, events: [] });
      expect((await answer(pia, first.questionId, 'yes')).ok).toBe(false);
      const list = async (agent: Agent, more: Partial<ParamsInputOf<'question.list'>> = {}) =>
        (await agent.read('question.list', more)).questions.map(({ questionId }) => questionId);
      const ids = [second.questionId, first.questionId];
      expect(await list(pia)).toEqual(ids);
      expect(await list(pia, { state: 'open', channelId })).toEqual([second.questionId]);
      const page = await pia.read('question.list', { limit: 1 });
      expect(page.nextCursor).toBe(second.questionId);
      expect(await list(pia, { limit: 1, cursor: page.nextCursor })).toEqual([first.questionId]);
      const bounded = agentOf(database().store, pia.agentId, { channels: ['elsewhere'] });
      expect(await list(bounded)).toEqual([]);
      await asker.write('member.remove', { channelId, agentId: pia.agentId });
      expect(await list(pia)).toEqual([]);
      expect(await pia.readRefusal('question.list', { channelId })).toBe('not_found');
    });

    it('count an answer that was given before its agent left', async () => {
      const { channelId, asker, pia, paul, open } = await world();
      const { questionId } = await open({ quorum: 2 });
      await answer(pia, questionId, 'yes');
      await pia.write('channel.leave', { channelId });
      const { state, answers } = questionIn(await answer(paul, questionId, 'yes'));
      expect([state, answers.length]).toEqual(['answered', 2]);
      expect(await namesIn(asker, channelId)).toContain('question.answered');
    });

    it('expire once, which is no answer, by the time of the database', async () => {
      const { store, channelId, asker, pia, paul, open } = await world();
      const [soon, answered] = [{ expiresMs: 1_000 }, { expiresMs: 1_000, quorum: 2 }];
      const { questionId } = await open(answered);
      const early = await open(soon);
      await answer(pia, questionId, 'yes');
      await answer(pia, early.questionId, 'yes');
      // Negative control: without an expiry a question stays open.
      const lasting = await open();
      const [due] = await waitFor(
        async () => {
          const found = (await store.due()).filter(({ id }) => id === questionId);
          return found.length > 0 && found;
        },
        { what: 'the expiry' },
      );
      const late = await answer(paul, questionId, 'yes');
      expect([late.ok, questionIn(late).state]).toEqual([false, 'open']);
      const stores = [store, await database().another()];
      const events = (await Promise.all(stores.map((one) => one.expire(due!)))).flat();
      expect(events.map(({ event }) => JSON.parse(event.json))).toMatchObject([
        {
          ...{ senderId: 'hub', senderKind: 'hub' },
          event: {
            name: 'question.expired',
            payload: { question: { questionId, optionId: null } },
          },
        },
      ]);
      const { questions } = await asker.read('question.list', { channelId });
      expect(questions.map((one) => [one.questionId, one.state])).toEqual(
        [
          [lasting.questionId, 'open'],
          [early.questionId, 'answered'],
          [questionId, 'expired'],
        ].sort(([a = ''], [b = '']) => (a < b ? 1 : -1)),
      );
    });
  });
}
