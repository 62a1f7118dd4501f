import { describe, expect, it } from '@jest/globals';
import type { JsonObject, Question } from '@openclaw/protocol';
import { envelopeOf } from '../testing/events.ts';
import { reduceAsks, withAsk, type AskAnswers } from './asks.ts';
import { questionIn, reduceQuestions, type Questions } from './questions.ts';
import { isSystemEvent } from './timeline.ts';

const eventOf = (seq: number, name: string, payload: object) =>
  envelopeOf(seq, {
    ...{ type: 'collaboration.event', channelId: 'c', name },
    payload: payload as JsonObject,
  });

const open: Question = {
  ...{ questionId: 'q', channelId: 'c', threadId: null, openedBy: 'bob', title: 'So?' },
  options: [{ id: 'yes', label: 'Yes' }],
  ...{ responders: null, quorum: 2, expiresMs: null, state: 'open', optionId: null, text: null },
  answers: [],
};

describe('the questions of a channel', () => {
  const vote = { questionId: 'q', agentId: 'ada', optionId: 'yes', text: null };
  const events = [
    eventOf(1, 'question.opened', { question: open }),
    eventOf(2, 'question.voted', vote),
    eventOf(3, 'question.voted', { ...vote, agentId: 'eve' }),
  ];
  const answers = ['ada', 'eve'].map((agentId, index) => ({
    ...{ agentId, optionId: 'yes', text: null, atMs: index + 2 },
  }));
  const end = eventOf(4, 'question.answered', {
    question: { ...open, state: 'answered', optionId: 'yes', answers },
  });

  it('have the votes of the events, also when these come twice', () => {
    const state = [...events, ...events].reduce<Questions>(reduceQuestions, new Map());
    expect(state.get('q')?.answers).toEqual(answers);
  });

  it('stay ended when an older page of the log is read', () => {
    const state = [end, ...events].reduce<Questions>(reduceQuestions, new Map());
    expect(state.get('q')).toMatchObject({ state: 'answered', answers });
  });

  it('are not taken from an event of another shape', () => {
    for (const payload of [
      {},
      { question: null },
      { question: { ...open, options: [null] } },
      { question: { ...open, responders: 'ada' } },
    ]) {
      expect(questionIn(eventOf(1, 'question.opened', payload))).toBeNull();
    }
  });

  it('make one row each', () => {
    expect([...events, end].map(isSystemEvent)).toEqual([true, false, false, false]);
  });
});

describe('the answers to asks', () => {
  const to = { askId: 'm1', agentId: 'ada' };

  it('go forward only, in whatever order the events are read', () => {
    const accepted = eventOf(2, 'ask.accepted', { ...to, note: 'on it' });
    const done = eventOf(3, 'ask.done', { ...to, note: null });
    for (const events of [
      [accepted, done],
      [done, accepted],
    ]) {
      const state = events.reduce<AskAnswers>(reduceAsks, new Map());
      expect(state.get('m1')?.get('ada')).toEqual({ state: 'done', note: null });
    }
  });

  it('name those who were silent, and ignore what is no ask', () => {
    const expired = eventOf(2, 'ask.expired', { askId: 'm1', silent: ['ada', 7] });
    const state = [expired, eventOf(3, 'ask.done', { askId: 7 })].reduce<AskAnswers>(
      reduceAsks,
      new Map(),
    );
    expect([...(state.get('m1') ?? [])]).toEqual([['ada', { state: 'expired', note: null }]]);
  });

  it('are those of the hub where it lists the ask', () => {
    const addressees = [
      { agentId: 'ada', state: 'declined', note: 'no' },
      { agentId: 'eve', state: 'open', note: null },
    ] as const;
    const ask = { ...{ askId: 'm1', channelId: 'c', from: 'bob', deadlineMs: 9 }, addressees };
    const state = withAsk(new Map(), { ...ask, addressees: [...addressees] });
    expect(state.get('m1')?.size).toBe(1);
  });
});
